"""From market and inventory to targets."""

import pytest

from mmd.core.flow.response import Response
from mmd.core.market.record import SNAPSHOT
from mmd.core.quoter import Quoter
from mmd.core.quoting.quote_state import QuoteState
from mmd.core.quoting.record import OK
from mmd.core.spec import SessionSpec
from mmd.core.units import NANOS_PER_SECOND, Side
from tests.engine_bench import EngineBench
from tests.session import instrument, quoting, session_spec

LIMIT = 10_000


def quoter_of(spec: SessionSpec | None = None) -> Quoter:
    """Of an engine that has seen a market at 100.00."""
    bench = EngineBench(spec)
    bench.bring_up()
    bench.decide()
    return bench.maker.quoter


def touch(bench: EngineBench, bid: tuple[int, int], ask: tuple[int, int]) -> None:
    """A snapshot of one level a side."""
    bench.update_id += 1
    bench.market(SNAPSHOT, dict([bid]), dict([ask]))


def targets(quoter: Quoter) -> tuple[list[int], list[int]]:
    """Prices of bids and of asks, best first."""
    quote = quoter.quote[0]
    bids, asks = (quote["px"][side, : quote["n"][side]].tolist() for side in Side)
    return bids, asks


def test_active_is_a_ladder_on_both_sides_around_fair_value() -> None:
    """As many levels as configured, best first, flat inventory gives a symmetric first level."""
    quoter = quoter_of()
    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    bids, asks = targets(quoter)
    assert quoter.status == OK
    assert quoter.fair_ticks == pytest.approx(10_000, abs=1)
    assert len(bids) == len(asks) == 3
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < quoter.fair_ticks < asks[0]
    assert bids[0] + asks[0] == pytest.approx(2 * quoter.fair_ticks, abs=1)


def test_withdrawn_is_nothing() -> None:
    """Whatever was there before."""
    quoter = quoter_of()
    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    quoter.target(QuoteState.WITHDRAWN, 0, LIMIT, 0.0)
    assert targets(quoter) == ([], [])


@pytest.mark.parametrize(("lots", "side"), [(LIMIT, Side.SELL), (-LIMIT, Side.BUY)])
def test_at_the_inventory_limit_only_the_way_back_is_quoted(lots: int, side: Side) -> None:
    """And a flat account quotes neither side."""
    quoter = quoter_of()
    quoter.target(QuoteState.INVENTORY_LIMIT, lots, LIMIT, 0.0)
    both = targets(quoter)
    assert both[side]
    assert not both[side.opposite]
    quoter.target(QuoteState.INVENTORY_LIMIT, 0, LIMIT, 0.0)
    assert targets(quoter) == ([], [])


@pytest.mark.parametrize(("sign", "side"), [(1, Side.SELL), (-1, Side.BUY)])
def test_what_only_reduces_is_no_larger_than_the_position(sign: int, side: Side) -> None:
    """Else risk refuses it, and a position smaller than an order is never closed."""
    quoter = quoter_of()
    quoter.target(QuoteState.INVENTORY_LIMIT, sign * LIMIT, LIMIT, 0.0)
    first, second = quoter.quote["sz"][0][side][:2].tolist()
    for lots in (first // 2, first + second // 2):
        quoter.target(QuoteState.INVENTORY_LIMIT, sign * lots, LIMIT, 0.0)
        levels = quoter.quote["n"][0][side]
        assert int(quoter.quote["sz"][0][side][:levels].sum()) == lots
    quoter.target(QuoteState.ACTIVE, sign * lots, LIMIT, 0.0)
    assert all(targets(quoter))


def test_inventory_moves_both_quotes_towards_selling_it() -> None:
    """Long: lower than flat; short: higher; in step with the position."""
    quoter = quoter_of()
    first = {}
    for lots in (-LIMIT // 2, 0, LIMIT // 2):
        quoter.target(QuoteState.ACTIVE, lots, LIMIT, 0.0)
        bids, asks = targets(quoter)
        first[lots] = bids[0], asks[0]
    assert first[LIMIT // 2] < first[0] < first[-LIMIT // 2]


def test_passive_is_wider() -> None:
    """Both sides."""
    quoter = quoter_of()
    widths = []
    for state in (QuoteState.ACTIVE, QuoteState.PASSIVE):
        quoter.target(state, 0, LIMIT, 0.0)
        bids, asks = targets(quoter)
        widths.append(asks[0] - bids[0])
    assert widths[1] > widths[0]


def test_no_quote_is_inside_the_fee_unless_asked_for() -> None:
    """The least half spread pays the maker's commission; a rebate is no reason to cross fair value."""
    narrow = quoting(spread_model="fixed", fixed_half_spread_bps=0.5, levels=1)
    paying = session_spec(quoting=narrow, instruments=(instrument(maker_fee_bps=10.0),))
    quoter = quoter_of(paying)
    assert quoter.break_even_bps == 10.0
    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    (bid,), (ask,) = targets(quoter)
    assert ask - quoter.fair_ticks >= 10
    assert quoter.fair_ticks - bid >= 10
    inside = quoting(
        spread_model="fixed", fixed_half_spread_bps=0.5, levels=1, quote_inside_break_even=True
    )
    quoter = quoter_of(session_spec(quoting=inside, instruments=(instrument(maker_fee_bps=10.0),)))
    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    (bid,), (ask,) = targets(quoter)
    assert ask - bid < 10


def test_estimates_are_made_once_a_second() -> None:
    """Resting orders are exposure, fills are evidence: the fill intensity rises with them."""
    bench = EngineBench()
    bench.bring_up()
    bench.turn()
    quoter = bench.maker.quoter
    quoter.on_time(bench.maker.orders, bench.now_ns)
    before = quoter.intensity.copy()
    quoter.on_time(bench.maker.orders, bench.now_ns + NANOS_PER_SECOND // 2)
    assert (quoter.intensity == before).all()
    for second in range(1, 60):
        for _ in range(5):
            quoter.on_order_filled(Side.BUY, bench.best(Side.BUY).price_ticks)
        quoter.on_time(bench.maker.orders, bench.now_ns + second * NANOS_PER_SECOND)
    assert quoter.intensity["rate"][0, Side.BUY] > before["rate"][0, Side.BUY]
    assert float(quoter.quote["gamma"][0]) > 0.0


@pytest.mark.parametrize(("fair_value", "fair"), [("mid", 10_000.0), ("weighted_mid", 10_000.5)])
def test_fair_value_starts_from_what_is_configured(fair_value: str, fair: float) -> None:
    """Three times as much on the bid of a market two ticks wide lifts the weighted mid half a tick."""
    bench = EngineBench(session_spec(quoting=quoting(fair_value=fair_value)))
    bench.bring_up()
    touch(bench, (9_999, 300), (10_001, 100))
    quoter = bench.maker.quoter
    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    assert quoter.fair_ticks == fair


def test_the_microprice_is_learned_while_the_session_runs() -> None:
    """Where the larger side always wins, fair value comes to lie further that way than sizes alone say."""
    bench = EngineBench(session_spec(quoting=quoting(fair_value="microprice")))
    bench.bring_up()
    bench.decide()
    quoter, orders = bench.maker.quoter, bench.maker.orders
    for tick in range(300):
        touch(bench, (9_999 + tick, 300), (10_000 + tick, 200))
        touch(bench, (10_000 + tick, 200), (10_001 + tick, 200))
    quoter.on_time(orders, bench.now_ns + 60 * NANOS_PER_SECOND)
    touch(bench, (10_500, 300), (10_501, 200))
    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    weighted = 10_500 + 300 / 500
    assert quoter.fair_ticks > weighted + 0.1
    assert quoter.fair_ticks <= 10_501


def test_two_scales_take_the_flicker_out_of_volatility() -> None:
    """A touch that jumps to and fro every tenth of a second is no risk."""
    sigmas = []
    for estimator in ("ewma", "tsrv"):
        bench = EngineBench(
            session_spec(quoting=quoting(volatility_estimator=estimator, volatility_bars_min=2))
        )
        bench.bring_up()
        bench.decide()
        for step in range(400):
            bench.pass_time(105)
            tick = step % 2
            touch(bench, (9_999 + tick, 100), (10_001 + tick, 100))
        sigmas.append(float(bench.maker.view.vol["sigma"][0]))
    assert sigmas[1] < 0.7 * sigmas[0]


def test_the_response_multiplies_what_the_state_asks_for() -> None:
    """At once in the state that holds, and in each that follows; impact goes to the model and survives a rescale."""
    bench = EngineBench()
    bench.bring_up()
    bench.turn()
    quoter, quote = bench.maker.quoter, bench.maker.quoter.quote

    def multipliers() -> list[float]:
        return [float(quote[f"{name}_multiplier"][0]) for name in ("size", "spread")]

    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    quoter.respond(Response(0.8, 1.25, 3.0))
    assert multipliers() == [0.8, 1.25]
    quoter.target(QuoteState.PASSIVE, 0, LIMIT, 0.0)
    assert multipliers() == pytest.approx([0.5 * 0.8, 2.0 * 1.25])
    assert bench.maker.scale is not None
    quoter.rescale(bench.maker.scale)
    quoter.target(QuoteState.ACTIVE, 0, LIMIT, 0.0)
    assert multipliers() == [0.8, 1.25]
    assert quote["impact"][0] == 3.0
    quoter.respond(Response())
    assert multipliers() == [1.0, 1.0]


@pytest.mark.parametrize("model", ["fixed", "glft", "dynamic"])
def test_long_inventory_lowers_both_quotes_and_short_raises_them(model: str) -> None:
    """From the position to the targets, whatever else leans on them, and the more the more is held."""
    quoter = quoter_of(session_spec(quoting=quoting(spread_model=model, spread_bps_min=20.0)))
    best = []
    for lots in range(-LIMIT, LIMIT + 1, LIMIT // 8):
        quoter.target(QuoteState.ACTIVE, lots, LIMIT, 0.0)
        bids, asks = targets(quoter)
        best.append((bids[0] if bids else None, asks[0] if asks else None))
    for side in Side:
        prices = [pair[side] for pair in best if pair[side] is not None]
        assert prices == sorted(prices, reverse=True)
        assert prices[0] > prices[-1]
