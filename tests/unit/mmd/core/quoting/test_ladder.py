"""The ladder's promises to the risk gate, for any input, and its numbers for plain ones."""

import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.quoting import glft, ladder
from mmd.core.quoting.ladder import PRICE_TICKS_MAX
from mmd.core.quoting.record import CROSSED, NOT_FINITE, OK, QUOTE, QuoteSettings, new_quote
from mmd.jit.kernel import Rec, bind, new

LADDER = bind(ladder.ladder, new(QUOTE), 1, 2)
TABLE = glft.new_table(30)
GLFT = bind(glft.offsets, new(QUOTE), TABLE)
QuoteOf = Callable[..., Rec]


def _side(quote: Rec, side: int) -> list[tuple[int, int]]:
    """Targets of a side as (price, lots)."""
    n = int(quote["n"][0, side])
    pairs = zip(quote["px"][0, side, :n].tolist(), quote["sz"][0, side, :n].tolist(), strict=True)
    return list(pairs)


def _tops(quote: Rec) -> tuple[int, int]:
    return _side(quote, 0)[0][0], _side(quote, 1)[0][0]


@st.composite
def quotes(draw: st.DrawFn) -> tuple[Rec, int, int]:
    """Any quote that the settings allow, near or far from any uncrossed book."""
    unit = draw(st.integers(1, 1000))
    settings = QuoteSettings(
        unit_lots=unit,
        lots_min=draw(st.integers(1, unit)),
        levels=draw(st.integers(1, 8)),
        level_spacing_ticks=draw(st.floats(0.0, 5.0)),
        spread_growth=draw(st.floats(0.0, 1.0)),
        size_decay=draw(st.floats(0.1, 1.0)),
        skew_growth=draw(st.floats(0.0, 1.0)),
        half_spread_ticks_min=draw(st.floats(0.0, 3.0)),
        half_spread_ticks_max=draw(st.floats(3.0, 50.0)),
        volatility_skew=draw(st.sampled_from([0.0, 1.0])),
    )
    quote = new_quote(settings)
    bid = draw(st.integers(1, 2000))
    quote["fair"] = draw(st.one_of(st.integers(1, 2000), st.floats(1.0, 2000.0)))
    quote["skew"] = draw(st.one_of(st.just(0.0), st.floats(-40.0, 40.0)))
    quote["offset"][0] = draw(st.tuples(st.floats(-9.0, 60.0), st.floats(-9.0, 60.0)))
    quote["inventory_ratio"] = draw(st.floats(-1.0, 1.0))
    quote["spacing_growth"] = draw(st.sampled_from([0.0, 2.0]))
    quote["sigma"], quote["sigma_slow"] = draw(st.floats(0.0, 9.0)), draw(st.floats(0.0, 9.0))
    quote["spread_multiplier"] = draw(st.sampled_from([0.0, 0.5, 1.0, 2.0]))
    quote["allow_bid"], quote["allow_ask"] = draw(st.sampled_from([(1, 1), (1, 0), (0, 1), (0, 0)]))
    quote["room_lots"][0] = draw(st.tuples(st.integers(-5, 3000), st.integers(-5, 3000)))
    return quote, bid, bid + draw(st.integers(1, 50))


@given(quotes())
def test_targets_never_cross_the_book_or_each_other(drawn: tuple[Rec, int, int]) -> None:
    """Post-only holds, levels are distinct and ordered, and our own bid is below our own ask."""
    quote, best_bid, best_ask = drawn
    assert LADDER(quote, best_bid, best_ask) == OK
    bids = [px for px, _ in _side(quote, 0)]
    asks = [px for px, _ in _side(quote, 1)]
    assert all(1 <= px < best_ask for px in bids)
    assert all(px > best_bid for px in asks)
    assert all(better > worse for better, worse in itertools.pairwise(bids))
    assert all(better < worse for better, worse in itertools.pairwise(asks))
    assert not bids or not asks or bids[0] < asks[0]


@given(quotes())
def test_sizes_stay_inside_room_and_above_the_minimum(drawn: tuple[Rec, int, int]) -> None:
    """All orders of a side filled at once stay inside the room; a suppressed side is empty."""
    quote, best_bid, best_ask = drawn
    assert LADDER(quote, best_bid, best_ask) == OK
    for side, allowed in enumerate((quote["allow_bid"][0], quote["allow_ask"][0])):
        sizes = [lots for _, lots in _side(quote, side)]
        assert all(lots >= quote["lots_min"][0] for lots in sizes)
        assert sum(sizes) <= max(0, quote["room_lots"][0, side])
        assert allowed or not sizes
        assert sizes == sorted(sizes, reverse=True)


@given(quotes())
def test_prices_are_never_better_than_asked_for(drawn: tuple[Rec, int, int]) -> None:
    """Rounding, spacing and the book only move a quote outwards."""
    quote, best_bid, best_ask = drawn
    quote["volatility_skew"] = 0.0
    assert LADDER(quote, best_bid, best_ask) == OK
    centre = quote["fair"].item() + quote["skew"].item()
    half_min = quote["half_spread_min"].item()
    for side, sign in ((0, 1), (1, -1)):
        for px, _ in _side(quote, side)[:1]:
            assert sign * px <= sign * centre - half_min + 1e-9


def test_levels_widen_and_shrink_as_documented(quote_of: QuoteOf) -> None:
    """Offset 5 x (1, 1.2, 1.4), spacing 2, skew -1 x (1, 1.1, 1.2), sizes 100, 70, 49."""
    settings = QuoteSettings(unit_lots=100, level_spacing_ticks=2.0)
    quote = quote_of(settings, fair=1000.0, skew=-1.0, offset=5.0)
    assert LADDER(quote, 999, 1001) == OK
    # 1000 - 1 - 5 = 994; 1000 - 1.1 - 6 - 2 = 990.9; 1000 - 1.2 - 7 - 4 = 987.8
    assert _side(quote, 0) == [(994, 100), (990, 70), (987, 49)]
    # 1000 - 1 + 5 = 1004; 1000 - 1.1 + 6 + 2 = 1006.9; 1000 - 1.2 + 7 + 4 = 1009.8
    assert _side(quote, 1) == [(1004, 100), (1007, 70), (1010, 49)]


def test_the_reducing_sides_levels_stand_wider_apart(quote_of: QuoteOf) -> None:
    """Twice as wide at half the limit with a growth of 2: 5 ticks become 10; the other side and level 0 stay."""
    settings = QuoteSettings(
        unit_lots=100, level_spacing_ticks=5.0, spread_growth=0.0, size_skew=False
    )
    for ratio, bids, asks in (
        (0.5, [997, 992, 987], [1003, 1013, 1023]),
        (-0.5, [997, 987, 977], [1003, 1008, 1013]),
        (0.0, [997, 992, 987], [1003, 1008, 1013]),
    ):
        quote = quote_of(settings, offset=3.0, spacing_growth=2.0, inventory_ratio=ratio)
        assert LADDER(quote, 999, 1001) == OK
        assert [px for px, _ in _side(quote, 0)] == bids
        assert [px for px, _ in _side(quote, 1)] == asks


def test_half_spread_is_clamped_after_the_multiplier(quote_of: QuoteOf) -> None:
    """Level 0 stays within [min, max] whatever a state or policy multiplies it by."""
    settings = QuoteSettings(
        unit_lots=1, levels=1, half_spread_ticks_min=2.0, half_spread_ticks_max=6.0
    )
    for multiplier, bid, ask in ((0.1, 998, 1002), (1.0, 996, 1004), (9.0, 994, 1006)):
        quote = quote_of(settings, fair=1000.0, offset=4.0, spread_multiplier=multiplier)
        assert LADDER(quote, 999, 1001) == OK
        assert _tops(quote) == (bid, ask)


def test_levels_too_small_to_place_are_dropped(quote_of: QuoteOf) -> None:
    """20, 14, then 9.8 lots under a minimum of 10: two levels."""
    settings = QuoteSettings(unit_lots=20, lots_min=10)
    quote = quote_of(settings, offset=3.0)
    assert LADDER(quote, 999, 1001) == OK
    assert [lots for _, lots in _side(quote, 0)] == [20, 14]


def test_room_cuts_the_outer_levels_first(quote_of: QuoteOf) -> None:
    """With 130 lots of room the second level shrinks to 30 and the third is not placed."""
    quote = quote_of(offset=3.0)
    quote["room_lots"][0, 0] = 130
    assert LADDER(quote, 999, 1001) == OK
    assert [lots for _, lots in _side(quote, 0)] == [100, 30]
    assert [lots for _, lots in _side(quote, 1)] == [100, 70, 49]


def test_without_spread_the_side_that_adds_inventory_gives_way(quote_of: QuoteOf) -> None:
    """Long: the bid steps down. Otherwise the ask steps up."""
    settings = QuoteSettings(unit_lots=1, levels=1, half_spread_ticks_min=0.0)
    long, flat = quote_of(settings, fair=1001.0, skew=-1.0), quote_of(settings, fair=1000.0)
    assert LADDER(long, 990, 1010) == LADDER(flat, 990, 1010) == OK
    assert _tops(long) == (999, 1000)
    assert _tops(flat) == (1000, 1001)


def test_one_sided_books_are_quoted(quote_of: QuoteOf) -> None:
    """An absent best is 0 or PRICE_TICKS_MAX."""
    quote = quote_of(offset=3.0)
    assert LADDER(quote, 0, PRICE_TICKS_MAX) == OK
    assert _tops(quote) == (997, 1003)


def test_a_bid_below_one_tick_is_not_placed(quote_of: QuoteOf) -> None:
    """Fair 3.5 leaves room for one bid."""
    quote = quote_of(fair=3.5, offset=2.0)
    assert LADDER(quote, 3, 5) == OK
    assert [px for px, _ in _side(quote, 0)] == [1]


@pytest.mark.parametrize("book", [(1000, 1000), (1001, 1000)])
def test_a_locked_or_crossed_book_is_not_quoted(quote_of: QuoteOf, book: tuple[int, int]) -> None:
    """The last targets are gone, too."""
    quote = quote_of(offset=3.0)
    assert LADDER(quote, 999, 1001) == OK
    assert LADDER(quote, *book) == CROSSED
    assert quote["n"].sum() == 0


@pytest.mark.parametrize(
    "field", ["fair", "skew", "offset", "spread_multiplier", "skew_multiplier"]
)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_not_quoted(quote_of: QuoteOf, field: str, bad: float) -> None:
    """No stage's accident becomes an order."""
    quote = quote_of(**({"offset": 3.0, "skew": 1.0} | {field: bad}))
    assert LADDER(quote, 999, 1001) == NOT_FINITE
    assert quote["n"].sum() == 0


positive = st.floats(0.05, 3.0)


def _glft_tops(
    inventory: float, sigma: float, gamma: float, rate: float, decay: float
) -> tuple[int, int]:
    """Best targets of the GLFT model with the book far away."""
    quote = new_quote(QuoteSettings(unit_lots=1, levels=1, half_spread_ticks_min=0.0))
    fields = {"sigma": sigma, "gamma": gamma, "rate": rate, "decay": decay, "inventory": inventory}
    for name, value in fields.items():
        quote[name] = value
    quote["fair"] = 1e6 + 0.3
    assert GLFT(quote, TABLE) == OK
    assert LADDER(quote, 0, PRICE_TICKS_MAX) == OK
    return _tops(quote)


@given(st.floats(0.1, 20.0), positive, st.floats(0.001, 1.0), positive, positive)
def test_long_inventory_lowers_both_quotes(
    inventory: float, sigma: float, gamma: float, rate: float, decay: float
) -> None:
    """And short raises both."""
    short = _glft_tops(-inventory, sigma, gamma, rate, decay)
    flat = _glft_tops(0.0, sigma, gamma, rate, decay)
    long = _glft_tops(inventory, sigma, gamma, rate, decay)
    assert long[0] <= flat[0] <= short[0]
    assert long[1] <= flat[1] <= short[1]


@given(st.floats(1.0, 4.0), positive, st.floats(0.001, 1.0), positive, positive)
def test_quoted_spread_widens_with_volatility_and_with_risk_aversion(
    factor: float, sigma: float, gamma: float, rate: float, decay: float
) -> None:
    """Always with sigma; with gamma where the risk term outgrows the fall of ln(1 + gamma/k)/gamma.

    That is where the closed form's c2/(2*gamma), a lower bound of its slope, is at least 1/k^2. The table's
    slope is smaller than the closed form's far from its limit, so the condition asks for alpha/eta below 1/4.
    """
    bid, ask = _glft_tops(0.0, sigma, gamma, rate, decay)
    wider = _glft_tops(0.0, sigma * factor, gamma, rate, decay)
    assert wider[1] - wider[0] >= ask - bid

    def ratio(g: float) -> float:
        eta = rate * (1 + g / decay) ** -(1 + decay / g)
        return decay * g * sigma**2 / 2 / eta

    top = ratio(gamma * factor)
    if top < 0.25 and math.sqrt(ratio(gamma)) / decay / (4 * gamma * factor) >= 1 / decay**2:
        averse = _glft_tops(0.0, sigma, gamma * factor, rate, decay)
        assert averse[1] - averse[0] >= ask - bid
