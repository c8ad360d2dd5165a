"""The compiled loop follows limits, levels and blackouts as they come, and leaves hedging sessions to the engine."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mmd.backtest.quiet_player import QuietPlayer
from mmd.core.engine import Engine
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.maker import Maker
from mmd.core.quoter import Quoter
from mmd.core.quoting.quote_state import QuoteReason, QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.risk.reasons import LevelReason
from mmd.exchange.fills.latency import constant
from mmd.tape.reader import Tape
from tests.fill_bench import MS, random_walk
from tests.session import session_spec
from tests.unit.mmd.backtest.test_runner import made


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Two minutes of a random market."""
    return random_walk(5, 3_000).write(tmp_path_factory.mktemp("walk") / "walk.tape.parquet")


def test_the_compiled_loop_follows_a_moving_var_cap(
    walk: Tape, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit changes once a second with the volatility and binds: the commands are the engine's all the same."""
    caps: list[int] = []
    cap_position = Maker.cap_position

    def noted(maker: Maker, lots_max: int) -> None:
        caps.append(lots_max)
        cap_position(maker, lots_max)

    monkeypatch.setattr(Maker, "cap_position", noted)
    overrides: dict[str, object] = {"inventory.var_max": "5"}
    uncapped, _ = made(walk, is_fused=False)
    runs = [
        made(walk, is_fused=fused, overrides=overrides, feed=constant(2 * MS))
        for fused in (True, False)
    ]
    for runner, _ in runs:
        runner.run()
    (fused, fused_sent), (plain, plain_sent) = runs
    assert fused.quiet_decisions > 100
    half = len(caps) // 2
    assert caps[:half] == caps[half:]
    assert len(set(caps)) > 5
    uncapped.run()
    assert uncapped.maker.scale is not None
    assert min(caps) < uncapped.maker.scale.position_lots_max
    assert fused_sent == plain_sent
    assert len(plain_sent) > 50
    assert fused.maker.scale == plain.maker.scale
    assert fused.maker.ledger.position_lots == plain.maker.ledger.position_lots


def test_the_compiled_loop_is_as_cautious_as_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After adverse fills: wider, then one side alone, then back; the engine is asked where orders or levels change."""
    asked = dict.fromkeys(QuoteState, 0)
    target = Quoter.target

    def counted(quoter: Quoter, state: QuoteState, *args: Any) -> None:
        asked[state] += 1
        target(quoter, state, *args)

    monkeypatch.setattr(Quoter, "target", counted)
    overrides: dict[str, object] = {
        "risk.adverse_streak_max": 1,
        "risk.adverse_horizon_s": "5",
        "risk.caution_hold_ms": 15_000,
    }
    walk = random_walk(11, 3_000).write(tmp_path / "walk.tape.parquet")
    runs, calls = [], []
    for fused in (True, False):
        runner, sent = made(walk, is_fused=fused, overrides=overrides)
        runner.run()
        runs.append((runner, sent))
        calls.append(asked.copy())
    (fused_run, fused_sent), (plain_run, plain_sent) = runs
    changes = list(fused_run.engine.levels.history)
    assert changes == list(plain_run.engine.levels.history)
    assert {c.after for c in changes} == {
        RiskLevel.NORMAL,
        RiskLevel.CAUTIOUS,
        RiskLevel.REDUCE_ONLY,
    }
    for state in (QuoteState.PASSIVE, QuoteState.INVENTORY_LIMIT):
        assert 0 < calls[0][state] < 0.5 * (calls[1][state] - calls[0][state]), state
    assert fused_sent == plain_sent


def test_the_compiled_loop_is_cautious_in_the_same_storms(walk: Tape) -> None:
    """A limit that some seconds of the tape exceed and most do not: levels and commands are the engine's."""
    overrides: dict[str, object] = {
        "risk.feed_messages_per_s_max": 33,
        "risk.caution_hold_ms": 1_000,
    }
    runs = [made(walk, is_fused=fused, overrides=overrides) for fused in (True, False)]
    for runner, _ in runs:
        runner.run()
    (fused, fused_sent), (plain, plain_sent) = runs
    changes = list(fused.engine.levels.history)
    assert changes == list(plain.engine.levels.history)
    assert 2 < len(changes) < 100
    assert {c.reason for c in changes} == {LevelReason.MESSAGE_STORM, None}
    assert fused.quiet_decisions > 100
    assert fused_sent == plain_sent


def test_the_compiled_loop_ends_where_a_blackout_begins(walk: Tape) -> None:
    """Orders go when the calendar says so, between two timers too."""
    span = {"every": "day", "start": "22:14", "duration_s": 20, "reason": "roll"}
    overrides: dict[str, object] = {"risk.blackouts": [span]}
    runs = [made(walk, is_fused=fused, overrides=overrides) for fused in (True, False)]
    for runner, _ in runs:
        runner.run()
    changes = runs[0][0].maker.quote_changes
    assert QuoteReason.BLACKOUT in [change.reason for change in changes.since(0)]
    assert runs[0][0].quiet_decisions > 100
    assert runs[0][1] == runs[1][1]


def test_sessions_that_hedge_are_not_taken_in_the_compiled_loop() -> None:
    """A hedge begins by itself on the timer; a cap alone does not."""
    plain = session_spec(inventory=InventorySpec(var_max=Decimal(5)))
    assert QuietPlayer.supports(Engine(plain))
    for route in ("same", "best"):
        hedging = session_spec(hedge=HedgeSpec(route=route))
        assert not QuietPlayer.supports(Engine(hedging))


def test_a_backtest_that_hedges_is_the_engines_own(walk: Tape) -> None:
    """Hedges are filled, no decision is the loop's, and the account agrees."""
    overrides: dict[str, object] = {
        "hedge.route": "same",
        "hedge.critical_ratio": "0.1",
        "hedge.target_ratio": "0",
        "hedge.deadline_s": "1",
    }
    runner, sent = made(walk, is_fused=True, overrides=overrides)
    runner.run()
    assert runner.quiet_decisions == 0
    assert runner.engine.hedging is not None
    (hedger,) = runner.engine.hedging.hedgers
    assert hedger.started > 0
    assert hedger.hedged_lots > 0
    assert len(sent) > 50
    pnl = runner.maker.ledger.pnl
    assert pnl is not None
    assert pnl.identity_error == 0
    assert pnl.sources.hedging_units != 0
