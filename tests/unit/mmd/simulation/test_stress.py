"""In every stress preset the engine keeps its bounds; scenes are brought forward so that seconds are enough."""

import json

import msgspec
import pytest
from typer.testing import CliRunner

from mmd.cli.main import app
from mmd.core.quoting.quote_state import QuoteState
from mmd.errors import MmdError
from mmd.exchange.stress_presets import STRESS
from mmd.simulation import stress
from mmd.simulation.invariants import InvariantError
from mmd.simulation.result import stress_result
from mmd.simulation.stress import EXPECTED_WITHDRAWALS, StressRequest, run_stress
from tests.simulated_worlds import scenario

FIRST_SCENE_S = 25.0
SPAN_S = 50.0
_QUOTING = {"quoting__requote_tolerance_bps": "1", "risk__on_loss": "flatten"}


def _soon(preset):
    """The preset with its first scene as soon as the engine's estimates are warm."""
    begins_s = min(phase.start_s for phase in preset.phases)
    lead_s = max(begins_s - FIRST_SCENE_S, 0.0)
    phases = tuple(
        msgspec.structs.replace(p, start_s=p.start_s - lead_s, every_s=0.0) for p in preset.phases
    )
    return msgspec.structs.replace(preset, phases=phases)


def _run(name, seed, seconds=SPAN_S, **overrides):
    at = scenario(seed=seed, preset=_soon(STRESS[name]), **_QUOTING | overrides)
    at.world.run(seconds)
    expected = EXPECTED_WITHDRAWALS.get(name, frozenset())
    return at, stress_result(at, name, seed, expected=expected, broken="", wall_s=1.0, cpu_s=1.0)


@pytest.mark.parametrize("name", STRESS)
def test_every_preset_stays_within_bounds(name):
    """Inventory, loss, withdrawals; every order and atom agrees with the exchange's all along."""
    at, result = _run(name, seed=1)
    assert result.faults == ()
    assert result.inventory_ratio_max <= 1.1
    assert result.loss <= result.loss_allowed
    assert result.fills > 0
    assert result.checks_at_rest > 500
    assert result.quoted_ratio == 1.0 - at.track.share(QuoteState.WITHDRAWN)


def test_a_crash_withdraws_quotes_and_an_outage_makes_the_book_stale():
    """For volatility in the one, for the age of the book in the other, and both come back."""
    _, crash = _run("flash_crash", seed=2)
    assert crash.withdrawals.keys() & {"VOLATILITY", "RISK"}
    at, outage = _run("feed_outage", seed=2)
    assert "BOOK_STALE" in outage.withdrawals
    assert outage.gaps > 0
    assert outage.quoted_ratio > 0.5
    assert at.trader.engine.makers[0].state is QuoteState.ACTIVE


def test_a_small_stop_is_kept_in_a_crash():
    """The position is closed by taking, the session halts, and the loss is the stop and the cost of closing."""
    at, result = _run(
        "flash_crash",
        seed=1,
        risk__loss_max="0.05",
        risk__drawdown_max="0.05",
        quoting__volatility_bps_max="1000",
    )
    assert [step.level for step in result.levels][-2:] == ["FLATTEN", "HALTED"]
    assert result.faults == ()
    assert result.loss_allowed == pytest.approx(0.05 + 10.0)
    assert result.fills_by_purpose["flatten"] >= 1
    assert abs(result.position_ratio) < 0.01
    assert at.venue.exchange.history.open_orders(at.trader.name) == []


def test_what_is_out_of_bounds_is_named():
    """Each bound has its own sentence."""
    at, _ = _run("news_jump", seed=1, seconds=2.0)
    at.invariants.inventory_ratio_max = 1.2
    at.track.equity_atoms_min = -(10**12)
    at.trader.engine.makers[0].view.mismatches = 3
    result = stress_result(
        at,
        "news_jump",
        1,
        expected=frozenset({"VOLATILITY"}),
        broken="cash: gone",
        wall_s=1.0,
        cpu_s=1.0,
    )
    assert [fault.split(":")[0] for fault in result.faults] == [
        "cash",
        "inventory",
        "loss",
        "book",
        "withdrawal",
    ]


def test_a_broken_invariant_ends_the_run_and_is_told(monkeypatch):
    """The other runs go on; this one says what broke and when."""

    class Broken(stress.Scenario):
        def _on_settled(self, trader):
            super()._on_settled(trader)
            if trader.decisions == 20:
                raise InvariantError("mmd at 1.0 s, decision 20: cash: expected 1, found 2")

    monkeypatch.setattr(stress, "Scenario", Broken)
    result = run_stress(StressRequest(preset="calm", seed=1, seconds=60.0))
    assert result.seconds < 60.0
    assert result.faults == ("mmd at 1.0 s, decision 20: cash: expected 1, found 2",)


def _mmd(*arguments):
    return CliRunner().invoke(app, ["stress", *arguments], catch_exceptions=False)


def test_the_command_tells_people_and_programs(tmp_path):
    """A table or JSON; journals where they are wanted."""
    run = ("--preset", "calm", "--preset", "default", "--seeds", "1", "--for", "3s")
    rows = json.loads(_mmd(*run, "--json", "--journal", str(tmp_path)).stdout)
    assert [(r["preset"], r["seed"], r["faults"]) for r in rows] == [
        ("calm", 1, []),
        ("default", 1, []),
    ]
    assert {p.name for p in tmp_path.iterdir()} == {"calm-1", "default-1"}
    assert "Stress tests" in _mmd(*run).stdout


def test_a_fault_fails_the_command():
    """An outage that has not begun yet withdraws nothing, and that is not what was expected."""
    with pytest.raises(
        MmdError, match="feed_outage seed 1: withdrawal: expected one for BOOK_STALE"
    ):
        _mmd("--preset", "feed_outage", "--seeds", "1", "--for", "3s")
