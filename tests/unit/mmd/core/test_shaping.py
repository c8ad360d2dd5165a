"""What a second brings to the quotes: a slow volatility, a skew that grows with age, and when to be aggressive."""

import pytest

from mmd.core.maker import Maker
from mmd.core.quoting.multipliers import Cause
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.units import NANOS_PER_SECOND, Side
from tests.engine_bench import EngineBench
from tests.session import construction, instrument, quoting, session_spec


def bench_of(**changes: object) -> EngineBench:
    """Quoting, with changes to how quotes are constructed; the maker pays no fee."""
    spec = session_spec(
        construction=construction(**changes),
        quoting=quoting(volatility_halflife_s=5.0),
        instruments=(instrument(maker_fee_bps=0.0),),
    )
    bench = EngineBench(spec)
    bench.bring_up()
    bench.turn()
    return bench


def steps(bench: EngineBench, n: int) -> None:
    """Seconds with a market that stands still."""
    for _ in range(n):
        bench.pass_time(1_000)
        bench.diff({9_000: 1 + bench.update_id % 2})
        bench.tick()
        bench.turn()


def skewed(maker: Maker) -> float:
    """The skew multiplier in force."""
    return float(maker.quoter.quote["skew_multiplier"][0])


def test_the_slow_volatility_follows_the_fast_one_by_its_half_life() -> None:
    """It begins at it, and halves the distance in the half-life."""
    bench = bench_of(volatility_slow_halflife_s=10.0)
    shaping, vol = bench.maker.shaping, bench.maker.view.vol
    vol["sigma"] = 4.0
    shaping.on_step(bench.now_ns)
    assert shaping.sigma_slow == 4.0
    vol["sigma"] = 2.0
    shaping.on_step(shaping.next_ns - 1)
    assert shaping.sigma_slow == 4.0, "not yet"
    shaping.on_step(shaping.next_ns)
    assert shaping.sigma_slow == pytest.approx(3.0)
    assert bench.maker.quoter.quote["sigma_slow"][0] == shaping.sigma_slow


def test_the_skew_grows_with_the_age_of_the_position_up_to_a_bound() -> None:
    """A quarter more an hour, at most half; flat again, it is plain again."""
    bench = bench_of(age_skew_per_hour=0.25, age_skew_multiplier_max=1.5)
    bought = bench.best(Side.BUY)
    bench.fill(bought.client_order_id)
    shaping, filled_ns = bench.maker.shaping, bench.now_ns
    for hours, wanted in ((0, 1.0), (1, 1.25), (2, 1.5), (9, 1.5)):
        shaping.on_step(filled_ns + hours * 3_600 * NANOS_PER_SECOND)
        assert skewed(bench.maker) == pytest.approx(wanted)
    sold = next(o for o in bench.open.values() if o.side is Side.SELL)
    bench.fill(sold.client_order_id, bought.qty_lots)
    assert bench.maker.ledger.position_lots == 0
    shaping.on_step(bench.now_ns + 10 * 3_600 * NANOS_PER_SECOND)
    assert bench.maker.quoter.multipliers.of(Cause.POSITION_AGE)[2] == 1.0


def test_what_it_writes_survives_a_new_price_level() -> None:
    """The QUOTE record is made anew, and its distances are ticks of another price."""
    bench = bench_of(reducing_spacing_multiplier=3.0, volatility_skew=7.0)
    steps(bench, 2)
    slow = bench.maker.shaping.sigma_slow
    bench.snapshot(20_000, 20_002)
    bench.turn()
    quote = bench.maker.quoter.quote[0]
    assert (quote["spacing_growth"], quote["volatility_skew"]) == (2.0, 7.0)
    assert quote["sigma_slow"] == slow > 0.0


def favoured(**changes: object) -> EngineBench:
    """Twenty fills that earn, in a market that is getting calm."""
    bench = bench_of(aggressive=True, aggressive_fills_min=10, **changes)
    markouts = bench.maker.ledger.markouts
    for i in range(20):
        markouts.on_fill(Side(i % 2), 9_990 if i % 2 == 0 else 10_010, 100, 20_000, bench.now_ns)
    steps(bench, 25)
    return bench


def test_calm_earning_and_nearly_flat_is_aggressive() -> None:
    """A reason of its own, and the spread as the settings say."""
    bench = favoured()
    assert (bench.maker.state, bench.maker.reason) == (
        QuoteState.AGGRESSIVE,
        QuoteReason.FAVOURABLE,
    )
    assert bench.maker.quoter.quote["spread_multiplier"][0] == 0.7
    bench.maker.view.vol["sigma"] = 2.0 * bench.maker.shaping.sigma_slow
    bench.maker.shaping.on_step(bench.now_ns)
    bench.decide()
    assert bench.maker.state is QuoteState.ACTIVE


def test_it_ends_with_the_inventory() -> None:
    """Holding much is a reason to earn the spread, not to give it away."""
    bench = favoured()
    bench.maker.ledger.quoted_lots = 10**6
    bench.maker.shaping.on_step(bench.now_ns)
    assert not bench.maker.shaping.is_favourable


def test_fills_that_lose_are_not_favourable() -> None:
    """The same number, at prices that were run over."""
    bench = favoured(aggressive_markout_bps_min=50.0)
    assert bench.maker.state is QuoteState.ACTIVE
    assert bench.maker.shaping.recent.fills > 10


def test_it_is_off_unless_asked_for() -> None:
    """Nothing is even measured."""
    bench = bench_of()
    steps(bench, 3)
    assert bench.maker.shaping.recent.fills == 0.0
    assert not bench.maker.shaping.is_favourable
