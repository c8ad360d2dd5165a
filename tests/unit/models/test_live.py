"""A running daemon takes what is promoted, goes back where that is undone, and refuses what is damaged."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry, generate_latest

from mmd.core.events import ModelRefused, ModelSwap
from mmd.core.learned.demotion import DemotionReason
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.served_model import PRICE, SPREAD, ModelRole
from mmd.core.learned.trial_spec import TrialArm, TrialSpec
from mmd.core.learned.trial_test import BlockResult
from mmd.ops.metrics import StateCollector
from models.checks import step_cost_ns
from models.live import LiveModels
from models.registry import POINTERS, Registry
from models.serving import registry_at
from tests.driver_bench import DriverBench
from tests.ops_state import state_of
from tests.session import session_spec
from tests.trained_models import forest_artefact, network_artefact

WATCH_S = 0.005


class Daemon:
    """The part of it that models are part of."""

    def __init__(
        self, folder: Path, *, promotes: bool = False, busy_share_max: float = 1.0
    ) -> None:
        models = ModelsSpec(
            enabled=True, folder=str(folder), uses_forecast=True, spread_weight=0.5,
            trials=TrialSpec(pairs_min=10),
        )  # fmt: skip
        spec = session_spec(models=models)
        self.live = LiveModels(spec, promotes=promotes, busy_share_max=busy_share_max)
        self.live.preload()
        self.bench = DriverBench(spec, models=self.live.shelf)
        self.bench.start()
        self.bench.driver.stop()
        self.live.place(self.bench.real_engine, self.bench.driver, self.bench.clock)

    @property
    def predictor(self) -> Predictor:
        """Of the one instrument."""
        found = self.bench.maker.predictor
        assert found is not None
        return found

    def judge(self, canary_bps: float) -> None:
        """Have pairs of blocks say how much more the canary earns."""
        learning = self.bench.maker.learning
        assert learning is not None
        assert learning.trials is not None
        learning.trials.on_step(
            0, 1.0, is_quoting=True, canary=self.predictor.seats.canaries[PRICE]
        )
        for k in range(40):
            other = BlockResult(0.1 * (k % 3), 1, 1, 0)
            mine = BlockResult(canary_bps + 0.1 * (k % 2), 1, 1, 0)
            learning.trials.tests[TrialArm.CANARY].add(mine, other)

    async def watch_until(self, condition: Callable[[], bool]) -> None:
        """Watch the registry until something is so."""
        engine, driver, clock = self.bench.real_engine, self.bench.driver, self.bench.clock
        watching = asyncio.create_task(self.live.run(engine, driver, clock, WATCH_S))
        try:
            async with asyncio.timeout(30):
                while not condition():  # noqa: ASYNC110
                    await asyncio.sleep(WATCH_S)
        finally:
            watching.cancel()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One champion of each kind."""
    found = registry_at(tmp_path)
    for artefact in (network_artefact(tmp_path), forest_artefact(tmp_path, 3.0)):
        found.promote(artefact.path.name)
    return found


async def test_champions_are_there_from_the_start_and_change_when_promoted(
    registry: Registry,
) -> None:
    """Each swap is one event of the journal; going back needs no disk."""
    daemon = Daemon(registry.folder)
    first = registry.pointers("spread_forest").champion
    assert daemon.predictor.champions[SPREAD] == first
    second = forest_artefact(registry.folder, 4.0).path.name
    registry.promote(second)
    await daemon.watch_until(lambda: daemon.predictor.champions[SPREAD] == second)
    registry.rollback("spread_forest")
    await daemon.watch_until(lambda: daemon.predictor.champions[SPREAD] == first)
    swaps = [e for e in daemon.bench.journal.records if isinstance(e, ModelSwap)]
    assert [s.model_id for s in swaps if s.kind == SPREAD] == [first, second, first]
    other = network_artefact(registry.folder, seed=5).path.name
    registry.challenge(other)
    await daemon.watch_until(lambda: ModelRole.CHALLENGER in daemon.predictor.seats.price)
    assert ModelRole.CHALLENGER in daemon.predictor.scores


@pytest.mark.parametrize("promotes", [False, True])
async def test_a_better_canary_waits_for_a_word_or_is_promoted(
    registry: Registry, promotes: bool
) -> None:
    """By the settings; either way a log line says so once."""
    first = registry.pointers(PRICE).champion
    canary = network_artefact(registry.folder, seed=5).path.name
    registry.canary(canary)
    daemon = Daemon(registry.folder, promotes=promotes)
    assert daemon.predictor.seats.canaries == {PRICE: canary}
    daemon.judge(1.0)
    with structlog.testing.capture_logs() as lines:
        if promotes:
            await daemon.watch_until(lambda: daemon.predictor.champions[PRICE] == canary)
            assert daemon.predictor.seats.canaries == {}
        else:
            await daemon.watch_until(lambda: any(x["event"] == "canary_ready" for x in lines))
    wanted = canary if promotes else first
    assert registry.pointers(PRICE).champion == wanted
    said = "canary_promoted" if promotes else "canary_ready"
    assert [x["event"] for x in lines].count(said) == 1


async def test_a_worse_canary_is_tried_no_more(registry: Registry) -> None:
    """Whatever the settings; the champion quotes on."""
    first = registry.pointers(PRICE).champion
    registry.canary(network_artefact(registry.folder, seed=5).path.name)
    daemon = Daemon(registry.folder)
    daemon.judge(-1.0)
    await daemon.watch_until(lambda: daemon.predictor.seats.canaries == {})
    assert registry.pointers(PRICE).canary == ""
    assert registry.pointers(PRICE).champion == first


async def test_damage_is_refused_and_told(registry: Registry) -> None:
    """A changed file, and a file of pointers that cannot be read: the champion stays, state and metrics say so."""
    daemon = Daemon(registry.folder)
    first = registry.pointers("spread_forest").champion
    bad = forest_artefact(registry.folder, 4.0).path
    registry.promote(bad.name)
    (bad / "forest.txt").write_bytes(b"other trees")
    await daemon.watch_until(lambda: daemon.predictor.refusals > 0)
    assert daemon.predictor.champions[SPREAD] == first
    assert "forest.txt" in daemon.predictor.refusal
    refused = [e for e in daemon.bench.journal.records if isinstance(e, ModelRefused)]
    assert [e.model_id for e in refused] == [bad.name]
    (registry.folder / POINTERS).write_text("{")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(20 * WATCH_S):
            await daemon.watch_until(lambda: daemon.predictor.champions[SPREAD] != first)
    state = state_of(daemon.bench)
    prediction = state.instruments[0].prediction
    assert prediction is not None
    assert (prediction.refusals, prediction.rung) == (1, "GLFT")
    assert prediction.champions[SPREAD] == first
    collected = CollectorRegistry()
    collected.register(StateCollector(lambda: state))
    text = generate_latest(collected).decode()
    assert 'mmd_model_errors_total{instrument="MMDUSDT",venue="embedded"} 1.0' in text
    assert 'rung="GLFT"' in text


async def test_a_daemon_starts_without_what_it_cannot_load(registry: Registry) -> None:
    """It quotes by the spread model, and says which model it wanted."""
    champion = registry.path(registry.pointers("spread_forest").champion)
    (champion / "weights.npz").unlink()
    daemon = Daemon(registry.folder)
    assert SPREAD not in daemon.predictor.champions
    assert "weights.npz" in daemon.predictor.refusal


async def test_a_model_that_is_too_slow_is_refused(registry: Registry) -> None:
    """At the start and while trading, whether or not it has to be compiled; the rest is served."""
    first = registry.pointers(SPREAD).champion
    registry.promote(wide := network_artefact(registry.folder, hidden=256).path.name)
    share = 8 * step_cost_ns(registry.load(first)) / 100_000_000
    daemon = Daemon(registry.folder, busy_share_max=share)
    assert daemon.predictor.champions == {SPREAD: first}
    assert f"{wide} takes" in daemon.predictor.refusal
    assert "models.busy_share_max" in daemon.predictor.refusal
    other = network_artefact(registry.folder, seed=5, hidden=256).path.name
    registry.promote(other)
    await daemon.watch_until(lambda: f"{other} takes" in daemon.predictor.refusal)
    assert daemon.predictor.champions == {SPREAD: first}


async def test_a_demoted_champion_is_not_served_again_before_a_person_says_so(
    registry: Registry,
) -> None:
    """Not by the next start, nor because another kind is swapped; promoted once more, it trades in the same session."""
    daemon = Daemon(registry.folder)
    network = registry.pointers(PRICE).champion
    daemon.predictor.demote(DemotionReason.FAULTS, daemon.bench.now_ns, PRICE)
    await daemon.watch_until(lambda: registry.pointers(PRICE).demoted != [])
    (written,) = registry.pointers(PRICE).demoted
    assert (written.model, written.reason) == (network, "faults")
    assert written.instrument.endswith(":MMDUSDT")
    assert registry.pointers(SPREAD).demoted == []
    with pytest.raises(TimeoutError):  # the registry has changed, the session has not
        async with asyncio.timeout(20 * WATCH_S):
            await daemon.watch_until(lambda: daemon.predictor.demoted is DemotionReason.NONE)
    later = Daemon(registry.folder)
    assert later.predictor.champions == {SPREAD: registry.pointers(SPREAD).champion}
    assert f"{network} was demoted" in later.predictor.refusal
    (refused,) = (e for e in later.bench.journal.records if isinstance(e, ModelRefused))
    assert (refused.kind, refused.model_id) == (PRICE, network)
    trees = forest_artefact(registry.folder, 4.0).path.name
    registry.promote(trees)
    await daemon.watch_until(lambda: daemon.predictor.champions.get(SPREAD) == trees)
    assert daemon.predictor.champions == {SPREAD: trees}
    assert registry.promote(network) == network
    for each in (daemon, later):
        await each.watch_until(lambda each=each: each.predictor.champions.get(PRICE) == network)
    assert daemon.predictor.demoted is DemotionReason.NONE


async def test_a_demotion_that_cannot_be_written_is_told_once_and_tried_again(
    registry: Registry,
) -> None:
    """Quotes go on without the model meanwhile."""
    daemon = Daemon(registry.folder)
    pointers = registry.folder / POINTERS
    whole = pointers.read_bytes()
    pointers.write_text("{")
    daemon.predictor.demote(DemotionReason.MARKOUT, daemon.bench.now_ns)
    with structlog.testing.capture_logs() as lines:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(20 * WATCH_S):
                await daemon.watch_until(
                    lambda: any(x["event"] == "demotion_written" for x in lines)
                )
        pointers.write_bytes(whole)
        await daemon.watch_until(lambda: registry.pointers(SPREAD).demoted != [])
    assert registry.pointers(PRICE).demoted != []
    assert [x["event"] for x in lines].count("demotion_unwritten") == 1


async def test_a_champion_without_weight_moves_no_quote(registry: Registry) -> None:
    """Its own evaluation gave it none: whoever was there before leaves, and nobody takes the place."""
    daemon = Daemon(registry.folder)
    first = daemon.predictor.champions[SPREAD]
    idle = forest_artefact(registry.folder, 4.0, metrics={"ensemble_weight": 0.0}).path.name
    registry.promote(idle)
    await daemon.watch_until(lambda: daemon.predictor.champions.get(SPREAD) != first)
    assert daemon.predictor.champions.get(SPREAD, "") == ""
    registry.rollback("spread_forest")
    await daemon.watch_until(lambda: daemon.predictor.champions.get(SPREAD) == first)
