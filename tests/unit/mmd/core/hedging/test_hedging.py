"""Hedges on another instrument, through the engine: ratio, accounts, release, choice of route."""

import pytest
from msgspec.structs import replace

from mmd.core.hedging.hedger import HedgeState
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.notices import NoticeKind
from mmd.core.orders.order import OrderPurpose
from mmd.core.quoting.multipliers import Cause
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason
from mmd.core.units import InstrumentId, Side
from mmd.errors import ConfigError
from tests.hedge_bench import HedgeBench, hedge_spec, two_venues
from tests.session import instrument, risk

ONE = InstrumentId(1)


def bench_of(takes=None, **spec):
    bench = HedgeBench(two_venues(**spec), takes)
    bench.start()
    return bench


def hedged(bench):
    """Lots at the other venue, as the hedger, the ledger and the position have them."""
    other = bench.engine.makers[1]
    return bench.hedger.routes[0].held_lots, other.ledger.hedge_lots, other.ledger.position_lots


@pytest.mark.parametrize(("beta", "carried"), [(1.0, 9.5), (1.0, -9.5), (0.5, 9.5)])
def test_a_spot_inventory_is_hedged_elsewhere_by_beta(beta, carried):
    """Opposite the inventory; a hundredth of a unit a lot there, a thousandth here."""
    bench = bench_of(carried=carried, beta=beta)
    quoted = bench.maker.orders.open_lots[Side.SELL if carried > 0 else Side.BUY]
    bench.run(200)
    (_, order), *more = bench.hedges
    assert not more
    assert order.instrument == ONE
    assert order.side is (Side.SELL if carried > 0 else Side.BUY)
    assert order.qty_lots == int((9_500 - 3_000 - quoted) * beta / 10)
    sign = order.side.sign
    assert hedged(bench) == (sign * order.qty_lots,) * 3
    assert abs(bench.hedger.exposure_lots) == pytest.approx(
        9_500 - order.qty_lots * 10 / beta, abs=1
    )
    assert bench.lots == carried * 1_000


def test_the_hedge_is_neither_quoted_against_nor_hedged_back():
    """The other venue's quotes are those of a flat account, and only the first instrument was ever hedged."""
    bench = bench_of()
    bench.run(5_000)
    other = bench.engine.makers[1]
    assert bench.hedger.state is HedgeState.IDLE
    assert other.ledger.position_lots < -200
    assert other.ledger.quoted_lots == 0
    assert float(other.quoter.quote["inventory"][0]) == 0.0
    assert min(other.orders.open_orders) > 0
    assert len(bench.engine.hedging.hedgers) == 1


def test_a_hedge_is_released_when_what_it_was_for_has_gone():
    """The inventory is sold off here: what is held there is bought back, to no exposure and not beyond."""
    bench = bench_of()
    bench.run(3_000)
    before = hedged(bench)[0]
    assert before < 0
    while bench.lots > 300:
        asks = [i for i, o in bench.open.items() if (o.instrument, o.side) == (0, Side.SELL)]
        bench.fill(asks[0])
        del bench.open[asks[0]]
        bench.run(300)
    bench.run(3_000)
    assert bench.hedges[-1][1].side is Side.BUY
    after, booked, position = hedged(bench)
    assert after == booked == position
    assert before < after <= 0
    assert abs(bench.hedger.exposure_lots) <= 3_000
    assert all(order.instrument == ONE for _, order in bench.hedges)


def test_what_is_filled_late_is_still_counted_as_a_hedge():
    """The order had been reported as ended with less."""
    bench = bench_of(takes=lambda _: 100)
    bench.run(100)
    order = bench.hedges[0][1]
    assert hedged(bench) == (-100,) * 3
    bench.give(order, 20)
    assert hedged(bench) == (-120,) * 3


def test_hedge_fills_are_booked_as_hedges_and_teach_quotes_nothing():
    """They are no markouts of ours: who takes knows what he pays."""
    bench = bench_of()
    bench.run(200)
    ledger = bench.engine.makers[1].ledger
    assert ledger.pnl.books.net_units(OrderPurpose.HEDGE, 20_000) != 0
    assert int(ledger.markouts.record["head"][0]) == 0


def test_the_cheaper_route_is_taken():
    """A commission of 5 bp there against none here, and the other way round."""
    for fees, expected in (((0.0, 5.0), 0), ((5.0, 0.0), 1)):
        spec = two_venues(route="best")
        made = tuple(
            instrument(id=i.id, venue=i.venue, lot_size=i.lot_size, taker_fee_bps=fee)
            for i, fee in zip(spec.instruments, fees, strict=True)
        )
        bench = HedgeBench(replace(spec, instruments=made))
        bench.start()
        bench.run(200)
        assert bench.hedges[0][1].instrument == expected
        assert bench.hedger.choice[0].name.startswith(("embedded", "other")[expected])
        assert bench.hedger.choice[0].cost_bps < bench.hedger.choice[1].cost_bps


def test_a_thin_book_costs_more_than_a_small_commission():
    """Where only a fifth can be had at once the other venue is chosen, in spite of its 1 bp."""
    spec = two_venues(route="best")
    made = (
        spec.instruments[0],
        instrument(id=ONE, venue="other", lot_size=spec.instruments[1].lot_size, taker_fee_bps=1.0),
    )
    bench = HedgeBench(replace(spec, instruments=made))
    bench.start()
    for _ in range(3):
        bench.pass_time(100)
        bench.snapshot(lots=30, at=0)
        bench.snapshot(at=1)
        bench.tick()
        bench.turn()
    assert bench.hedges[0][1].instrument == ONE


def test_without_a_usable_route_people_are_told():
    """Once in ten seconds, not ten times a second."""
    bench = bench_of()
    bench.engine.makers[1].is_private_up = False
    bench.run(5_000)
    assert bench.hedges == []
    assert bench.engine.notices.counts[NoticeKind.HEDGE_NO_ROUTE] == 1


def test_at_reduce_only_nothing_is_added_elsewhere():
    """A hedge there would be a new position."""
    bench = bench_of()
    bench.engine.levels.escalate(RiskLevel.REDUCE_ONLY, LevelReason.ORDER_BREACH, bench.now_ns)
    bench.run(1_000)
    assert bench.hedges == []


def test_the_other_position_stays_within_its_limit():
    """More would be wanted than may be held there: the limit there holds, and people are told."""
    bench = HedgeBench(two_venues(beta=6.0))
    bench.start()
    bench.run(40_000)
    assert hedged(bench)[2] >= -1_000
    assert bench.hedger.state is HedgeState.LATE
    assert bench.engine.notices.counts[NoticeKind.HEDGE_LATE] == 1


def test_an_unknown_instrument_is_refused():
    """With the names that there are."""
    with pytest.raises(ConfigError, match=r"nowhere:X is not traded; expected one of embedded:MMD"):
        HedgeBench(hedge_spec(hedge=HedgeSpec(route="named", instruments=("nowhere:X",))))


def test_a_warning_widens_and_skews_before_anything_is_hedged():
    """From seven tenths of the limit on; then it ends."""
    inventory = InventorySpec(warning_spread_multiplier=1.25, warning_skew_multiplier=1.5)
    bench = HedgeBench(hedge_spec(7.5, inventory=inventory, risk=risk()))
    bench.start()
    bench.run(1_500)
    assert bench.hedges == []
    assert bench.maker.quoter.multipliers.of(Cause.INVENTORY) == (1.25, 1.0, 1.5)
    assert bench.engine.inventory.held[0].is_warned
    assert bench.engine.notices.counts[NoticeKind.INVENTORY_WARNING] == 1


def test_a_patient_hedge_goes_where_resting_is_cheap():
    """Dear to take and free to make: an order that may wait goes there, one that takes does not."""
    spec = two_venues(route="best")
    made = tuple(
        instrument(
            id=i.id, venue=i.venue, lot_size=i.lot_size, maker_fee_bps=maker, taker_fee_bps=taker
        )
        for i, maker, taker in zip(spec.instruments, (5.0, 0.0), (1.0, 3.0), strict=True)
    )
    for algorithm, expected in (("ioc", 0), ("passive_then_cross", 1)):
        hedge = replace(spec.hedge, algorithm=algorithm, passive_ns=10**12)
        bench = HedgeBench(replace(spec, instruments=made, hedge=hedge))
        bench.start()
        bench.run(200)
        assert bench.hedges[0][1].instrument == expected
