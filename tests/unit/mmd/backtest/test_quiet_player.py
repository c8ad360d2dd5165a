"""The compiled loop follows a position limit that moves, and leaves hedging sessions to the engine."""

from decimal import Decimal

import pytest

from mmd.backtest.quiet_player import QuietPlayer
from mmd.core.engine import Engine
from mmd.core.inventory.settings import HedgeSpec, InventorySpec
from mmd.core.maker import Maker
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
