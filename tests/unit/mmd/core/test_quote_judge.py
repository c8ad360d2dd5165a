"""What is judged quickly comes to the same as looking at everything."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.events import FeedDown, InstrumentStatus, PrivateDown
from mmd.core.instrument import TradingStatus
from mmd.core.quote_judge import QuoteJudge
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason, RiskReason
from tests.engine_bench import ZERO, EngineBench
from tests.session import construction, session_spec

Change = Callable[["JudgedBench"], None]
SPEC = session_spec(construction=construction(market_spread_bps_min=1.0, volatility_bps_wide=10.0))


class JudgedBench(EngineBench):
    """Remembers what the judge alone is told."""

    is_favourable = False


def _bench() -> JudgedBench:
    bench = JudgedBench(SPEC)
    bench.bring_up()
    bench.decide()
    assert bench.maker.state is QuoteState.ACTIVE
    return bench


def _fresh_judge(bench: JudgedBench) -> QuoteJudge:
    """One that has never judged, and so looks at everything."""
    maker, engine = bench.maker, bench.engine
    judge = QuoteJudge(maker.instrument, SPEC, engine.risk, maker.view, maker.orders, maker.ledger)
    assert maker.scale is not None
    sigma_max = SPEC.quoting.volatility_bps_max * maker.scale.ticks_per_bps
    judge.set_limits(maker.scale.position_lots_max, sigma_max)
    judge.set_market_limits(
        spread_ticks_min=maker.scale.ticks_per_bps, sigma_wide=10.0 * maker.scale.ticks_per_bps
    )
    judge.set_favourable(is_favourable=bench.is_favourable)
    judge.set_warm(is_warm=True)
    judge.set_trading(is_trading=maker.risk.status is TradingStatus.TRADING)
    return judge


def _escalate(level: RiskLevel) -> Change:
    return lambda b: b.engine.levels.escalate(level, LevelReason.OPERATOR, b.now_ns) and None


def _set(of: str, name: str, value: object) -> Change:
    def change(bench: JudgedBench) -> None:
        owner = bench.engine.risk if of == "risk" else getattr(bench.maker, of)
        setattr(owner, name, value)

    return change


def _volatile(bench: JudgedBench) -> None:
    bench.maker.view.vol["sigma"] = 1e6


def _restless(bench: JudgedBench) -> None:
    assert bench.maker.scale is not None
    bench.maker.view.vol["sigma"] = 12.0 * bench.maker.scale.ticks_per_bps


def _narrow(bench: JudgedBench) -> None:
    bench.maker.view.ask_ticks = bench.maker.view.bid_ticks


def _favour(bench: JudgedBench) -> None:
    bench.is_favourable = True
    bench.maker._judge.set_favourable(is_favourable=True)


def _no_sigma(bench: JudgedBench) -> None:
    bench.maker.view.vol["sigma"] = float("nan")


CHANGES: dict[str, tuple[Change, QuoteReason]] = {
    "nothing": (lambda _: None, QuoteReason.NONE),
    "cautious": (_escalate(RiskLevel.CAUTIOUS), QuoteReason.RISK),
    "reduce only": (_escalate(RiskLevel.REDUCE_ONLY), QuoteReason.RISK),
    "halted": (_escalate(RiskLevel.HALTED), QuoteReason.RISK),
    "feed down": (lambda b: b.event(FeedDown(b.now_ns, ZERO, "test")), QuoteReason.FEED_DOWN),
    "private down": (
        lambda b: b.event(PrivateDown(b.now_ns, "embedded", "test")),
        QuoteReason.PRIVATE_DOWN,
    ),
    "break": (
        lambda b: b.event(InstrumentStatus(b.now_ns, ZERO, TradingStatus.HALTED)),
        QuoteReason.NOT_TRADING,
    ),
    "gap": (_set("view", "wants_resync", True), QuoteReason.BOOK_STALE),
    "crossed": (_set("view", "is_crossed", True), QuoteReason.BOOK_CROSSED),
    "late": (lambda b: b.pass_time(1e6), QuoteReason.BOOK_STALE),
    "unknown order": (_set("orders", "unknown_count", 1), QuoteReason.UNKNOWN_ORDERS),
    "volatile": (_volatile, QuoteReason.VOLATILITY),
    "restless": (_restless, QuoteReason.VOLATILITY),
    "narrow": (_narrow, QuoteReason.SPREAD_TOO_NARROW),
    "favourable": (_favour, QuoteReason.FAVOURABLE),
    "sigma is no number": (_no_sigma, QuoteReason.VOLATILITY),
    "long": (_set("ledger", "quoted_lots", 10**9), QuoteReason.INVENTORY),
    "short": (_set("ledger", "quoted_lots", -(10**9)), QuoteReason.INVENTORY),
    "blackout": (_set("risk", "hindrance", RiskReason.BLACKOUT), QuoteReason.BLACKOUT),
    "slow feed": (_set("risk", "lag_ns_max", -1), QuoteReason.FEED_LATENCY),
}


def _judge(bench: JudgedBench) -> QuoteReason:
    """Judge quickly; state, reason and what the gate is told are those of a look at everything."""
    maker, fresh = bench.maker, _fresh_judge(bench)
    fresh.judge(bench.now_ns, is_private_up=maker.is_private_up)
    bench.decide()
    assert (maker.state, maker.reason) == (fresh.state, fresh.reason)
    assert maker.risk.hindrance is fresh.hindrance
    return maker.reason


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_ends_the_calm_at_once(name: str) -> None:
    """Although nothing was wrong a moment ago."""
    change, reason = CHANGES[name]
    bench = _bench()
    change(bench)
    assert _judge(bench) is reason


@given(st.lists(st.sampled_from(sorted(CHANGES)), max_size=4))
def test_changes_upon_changes_are_judged_as_if_all_were_new(names: list[str]) -> None:
    """Whatever was remembered from the judgement before."""
    bench = _bench()
    for name in names:
        CHANGES[name][0](bench)
        _judge(bench)


def test_calm_comes_back() -> None:
    """Once what spoke against quoting is over."""
    bench = _bench()
    _set("view", "is_crossed", True)(bench)
    assert _judge(bench) is QuoteReason.BOOK_CROSSED
    bench.diff({9_999: 4_000})
    assert _judge(bench) is QuoteReason.NONE
    assert _judge(bench) is QuoteReason.NONE


def test_each_change_of_state_or_reason_is_kept() -> None:
    """With its time, and counted by what it led to."""
    bench = _bench()
    changes = bench.maker.quote_changes
    before = changes.total
    bench.pass_time(5)
    _set("view", "is_crossed", True)(bench)
    _judge(bench)
    _judge(bench)
    (change,) = changes.since(before)
    assert change == (
        bench.now_ns,
        QuoteState.ACTIVE,
        QuoteState.WITHDRAWN,
        QuoteReason.BOOK_CROSSED,
    )
    assert changes.counts[QuoteState.WITHDRAWN, QuoteReason.BOOK_CROSSED] == 1
