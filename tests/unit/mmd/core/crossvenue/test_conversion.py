"""Currencies are converted at live prices, and what cannot be converted is not compared."""

from decimal import Decimal

import pytest

from mmd.core.crossvenue.conversion import PAR, Conversions
from mmd.core.instrument import Instrument
from mmd.core.units import Side
from tests.session import quoting
from tests.two_venue_world import World, arbitrage, instrument_at, world_spec

FINE = {"tick_size": Decimal("0.0001"), "notional_min": Decimal(0)}
OBSERVED = quoting(enabled=False)


def instruments(*, has_rate: bool, inverse: bool = False) -> list[Instrument]:
    """MMD against USD at one venue and against USDT at the other, and what converts."""
    made = [
        instrument_at("first", 0, symbol="MMDUSD", quote="USD", settle="USD"),
        instrument_at("second", 1),
    ]
    if has_rate:
        base, quote = ("USD", "USDT") if inverse else ("USDT", "USD")
        made.append(
            instrument_at(
                "third", 2, symbol=base + quote, base=base, quote=quote, settle=quote, **FINE
            )
        )
    return made


def world_of(
    usdt_ticks: int, *, has_rate: bool = True, rate: tuple[int, int] = (9_979, 9_981)
) -> World:
    """The dollar book at 100, the other round a price in USDT, and USDT at 0.998 dollars."""
    spec = world_spec(
        instruments(has_rate=has_rate),
        quoting=OBSERVED,
        arbitrage=arbitrage(slippage_share=0.0, profit_min=Decimal("0.5")),
    )
    world = World(spec)
    for venue, mid in zip(world.venues[:2], (10_000, usdt_ticks), strict=True):
        venue.quote(Side.BUY, mid - 1, 100_000)
        venue.quote(Side.SELL, mid + 1, 100_000)
    if has_rate:
        third = world.venues[2]
        third.quote(Side.BUY, rate[0], 10**6)
        third.quote(Side.SELL, rate[1], 10**6)
    world.bring_up()
    world.step()
    return world


def opened(world: World) -> int:
    assert world.engine.crossvenue is not None
    return world.engine.crossvenue.scanner.opportunities.opened


def test_a_basis_is_no_opportunity() -> None:
    """100 dollars are 100.20 USDT at 0.998: the books agree, although their numbers differ by 20 bps."""
    world = world_of(10_020)
    cross = world.engine.crossvenue
    assert cross is not None
    assert cross.reporting == "USD"
    assert len(cross.scanner.pairs) == 2
    assert opened(world) == 0
    row = cross.books[0].rows(world.now_ns)[1]
    assert row.bid is not None
    assert row.bid == pytest.approx(100.19 * 0.9979)


def test_equal_numbers_are_one() -> None:
    """100 USDT are 99.80 dollars: bought there and sold for dollars."""
    world = world_of(10_000)
    cross = world.engine.crossvenue
    assert cross is not None
    ((pair, found),) = cross.scanner.opportunities.open.items()
    assert pair == (1, 0)
    paid, brought = 100.01 * 0.9981 * 1.0001, 99.99 * 0.9999
    assert found.net == pytest.approx(100 * (brought - paid), rel=1e-9)


def test_a_spread_between_the_currencies_is_a_cost() -> None:
    """What is bought in USDT is paid for at the ask of USDT, so that a wide one leaves nothing."""
    assert opened(world_of(10_000, rate=(9_960, 10_000))) == 0


def test_without_a_rate_nothing_is_compared_and_that_is_said() -> None:
    """No pair of different quote currencies is left."""
    world = world_of(10_000, has_rate=False)
    cross = world.engine.crossvenue
    assert cross is not None
    assert cross.scanner.pairs == []
    assert cross.conversions.unconverted == ["USDT"]
    assert opened(world) == 0


def test_an_old_or_lost_rate_is_none() -> None:
    """Its book has an age limit and must be in sequence; the reporting currency itself is always at par."""
    world = world_of(10_000)
    engine = world.engine
    views = [m.view for m in engine.makers]
    made = Conversions(engine.instruments, views, "USD", 10**9)
    now_ns = world.now_ns
    assert made.rate(0, now_ns) is PAR
    assert made.rate(1, now_ns) == pytest.approx((0.9979, 0.9981))
    assert made.rate(1, now_ns + 2 * 10**9) is None
    views[2].lose()
    assert made.rate(1, now_ns) is None
    assert made.is_fixed(0)
    assert not made.is_fixed(1)


def test_an_inverse_price_converts_too() -> None:
    """Dollars quoted in USDT at 1.0020: a USDT sold brings 1 over the ask."""
    spec = world_spec(instruments(has_rate=True, inverse=True), quoting=OBSERVED)
    world = World(spec)
    world.venues[2].quote(Side.BUY, 10_019, 10**6)
    world.venues[2].quote(Side.SELL, 10_021, 10**6)
    world.bring_up()
    views = [m.view for m in world.engine.makers]
    made = Conversions(world.engine.instruments, views, "USD", 10**9)
    assert made.rate(1, world.now_ns) == pytest.approx((1 / 1.0021, 1 / 1.0019))


def test_an_opportunity_ends_with_its_rate() -> None:
    """Nobody can tell what it is worth any more."""
    world = world_of(10_000)
    world.engine.makers[2].view.lose()
    world.step()
    cross = world.engine.crossvenue
    assert cross is not None
    (closed,) = cross.scanner.opportunities.history
    assert closed.reason is not None
    assert closed.reason.name == "NO_RATE"
