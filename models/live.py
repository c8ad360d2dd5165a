"""Brings models of the registry into a running daemon: at the start, and whenever another one is promoted.

Reading, hashing and the golden check happen in a thread; a network of a shape that this process has not met is compiled
by another process first, into the kernel cache. What the engine notices is one event between two others. A model that
is damaged, too slow, or made for something else, is refused with a log line and a count; quotes go on with what there is.
"""

import asyncio
import sys
from typing import Final

import structlog

from mmd.core.engine import Engine
from mmd.core.events import ModelRefused, ModelSwap
from mmd.core.instrument import Instrument
from mmd.core.lead import name_of
from mmd.core.learned.lstm import Shape, shape_of
from mmd.core.learned.model_run import PriceRun, SpreadRun
from mmd.core.learned.policy_run import PolicyRun
from mmd.core.learned.served_model import PRICE, SPREAD, ModelRole, ModelShelf, ServedModel
from mmd.core.ports import Clock
from mmd.core.spec import SessionSpec
from mmd.errors import ArtefactError
from mmd.shell.driver import Driver
from mmd.shell.learning_log import LearningLog
from models.artefact import Artefact, Kind, read_artefact
from models.canary_watch import CanaryWatch
from models.checks import check_cost
from models.demotion_watch import DemotionWatch
from models.registry import POINTERS, Demotion, Registry
from models.remote_prediction import Desk, RemoteBackends, device_of, has_card
from models.serving import fits, has_weight, registry_at, served, wanted_kinds

_COMPILE_TIMEOUT_S: Final = 300.0
_WATCHED = tuple[Kind, ModelRole]
_log = structlog.get_logger()


class LiveModels:
    """The models of one run.

    Attributes:
        shelf: what the engine finds models in; holds every one that an event has named.
    """

    def __init__(
        self,
        spec: SessionSpec,
        *,
        promotes: bool = False,
        backend: str = "compiled",
        busy_share_max: float = 1.0,
    ) -> None:
        """`promotes` lets a canary that was found better become champion by itself.

        `backend` and `busy_share_max` are those of the settings' models.
        """
        self.shelf = ModelShelf()
        self._spec = spec.models
        self._registry: Registry = registry_at(spec.models.folder)
        self._kinds = wanted_kinds(spec.models) if spec.models.enabled else ()
        self._artefacts: dict[str, Artefact] = {}
        self._shapes: set[Shape] = set()
        self._placed: dict[_WATCHED, str] = {}
        self._refused: dict[_WATCHED, str] = {}
        self._seen: tuple[int, ...] = ()
        self._reasons: dict[str, str] = {}
        """Why a model could not be loaded at the start."""
        self._changes = [0] * len(spec.instruments)
        self._canaries = CanaryWatch(self._registry, promotes=promotes)
        self._demotions = DemotionWatch(self._registry)
        self._demoted: dict[tuple[Kind, str], Demotion] = {}
        """By kind and instrument, champions that the registry does not let trade there."""
        self._logs: list[LearningLog] = []
        count = len(spec.instruments)
        device = device_of(backend, count, has_card)
        self._remotes = RemoteBackends(device, count, spec.models.bar_ns)
        self._cost_ns_max = busy_share_max * spec.models.bar_ns / max(count, 1)
        """Of a bar's step of one instrument, in processor time."""

    def preload(self) -> None:
        """Load and compile who trades and who is watched; those that cannot be are refused when the engine is told."""
        self._seen = self._stamp()
        for _, model_id in self._wanted():
            try:
                self._shape_of(self._load(model_id))
            except ArtefactError as error:
                self._reasons[model_id] = str(error)

    def place(self, engine: Engine, driver: Driver, clock: Clock) -> None:
        """Tell the engine of every model that is at hand and not in its place."""
        for place, model_id in self._wanted():
            if self._placed.get(place, "") == model_id or self._refused.get(place) == model_id:
                continue
            if model_id == "" or model_id in self._artefacts:
                self._swap(place, model_id, engine, driver, clock)
            else:
                reason = self._reasons.get(model_id, f"model {model_id} was not there in time")
                self._refuse(place, model_id, reason, driver, clock)

    async def run(self, engine: Engine, driver: Driver, clock: Clock, watch_s: float) -> None:
        """Watch the registry's pointers, the engine's rungs and what it learns, until cancelled."""
        self._logs = [LearningLog(maker) for maker in engine.makers]
        while self._spec.enabled:
            await asyncio.sleep(watch_s)
            self._log_changes(engine)
            for log in self._logs:
                log.write(driver, clock)
            await self._canaries.look(engine)
            await self._demotions.look(engine, clock)
            stamp = self._stamp()
            if stamp != self._seen:
                self._seen = stamp
                self._refused.clear()
                for place, model_id in self._wanted():
                    if model_id not in ("", self._placed.get(place)):
                        await self._fetch(place, model_id, driver, clock)
                self.place(engine, driver, clock)
        await asyncio.Event().wait()

    def _stamp(self) -> tuple[int, ...]:
        """Changes with the file of pointers."""
        try:
            stat = (self._registry.folder / POINTERS).stat()
        except OSError:
            return ()
        return stat.st_mtime_ns, stat.st_ino, stat.st_size

    def _wanted(self) -> list[tuple[_WATCHED, str]]:
        """Who is to be in which place by the pointers; nobody where they cannot be read."""
        found: list[tuple[_WATCHED, str]] = []
        demoted: dict[tuple[Kind, str], Demotion] = {}
        try:
            for kind in self._kinds:
                at = self._registry.pointers(kind)
                demoted |= {(kind, d.instrument): d for d in at.demoted if d.model == at.champion}
                found.append(((kind, ModelRole.CHAMPION), at.champion))
                found.append(((kind, ModelRole.CANARY), at.canary))
                if kind == PRICE:
                    found.append(((kind, ModelRole.CHALLENGER), at.challenger))
        except ArtefactError as error:
            _log.error("models_unreadable", error=str(error))
            return []
        for kind, _ in self._demoted.keys() - demoted.keys():
            # The same one may have been promoted again.
            self._placed.pop((kind, ModelRole.CHAMPION), None)
        self._demoted = demoted
        return found

    async def _fetch(self, place: _WATCHED, model_id: str, driver: Driver, clock: Clock) -> None:
        """Load a model without holding up the loop."""
        if model_id in self._artefacts:
            return
        try:
            await self._compile_elsewhere(model_id)
            await asyncio.to_thread(self._load, model_id)
        except ArtefactError as error:
            self._refuse(place, model_id, str(error), driver, clock)

    async def _compile_elsewhere(self, model_id: str) -> None:
        """Have another process compile what this one has not run yet, and check the model. Raises: ArtefactError."""
        artefact = await asyncio.to_thread(read_artefact, self._registry.path(model_id))
        if artefact.manifest.kind != PRICE or _shape(artefact) in self._shapes:
            return
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mmd.cli.main", "models", "verify", model_id,
            "--folder", str(self._registry.folder), "--us-max", str(self._cost_ns_max / 1e3),
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            _, said = await asyncio.wait_for(process.communicate(), _COMPILE_TIMEOUT_S)
        except TimeoutError:
            process.kill()
            raise ArtefactError(
                f"model {model_id} was not verified within {_COMPILE_TIMEOUT_S:.0f} s: try mmd models verify"
            ) from None
        if process.returncode != 0:
            lines = said.decode(errors="replace").strip().splitlines()
            said_last = lines[-1].removeprefix("mmd: ") if lines else ""
            raise ArtefactError(said_last or f"model {model_id} was not verified")

    def _load(self, model_id: str) -> ServedModel | None:
        """Read, check, bind the kernel, put on the shelf; None for no model. Raises: ArtefactError."""
        if model_id == "":
            return None
        artefact = self._registry.load(model_id)
        check_cost(artefact, self._cost_ns_max)
        model = served(artefact)
        if model.kind == PRICE:
            PriceRun(model, self._spec.horizon_bars)
        elif model.kind == SPREAD:
            SpreadRun(model)
        else:
            PolicyRun(model)
        self.shelf.put(model)
        self._artefacts[model_id] = artefact
        self._remotes.prepare(artefact)
        return model

    def _shape_of(self, model: ServedModel | None) -> None:
        """Remember a shape that is compiled."""
        if model is not None and model.kind == PRICE:
            self._shapes.add(shape_of(model.weights))

    def _swap(
        self, place: _WATCHED, model_id: str, engine: Engine, driver: Driver, clock: Clock
    ) -> None:
        kind, role = place
        if model_id != "":
            self._shape_of(self.shelf.find(model_id))
        is_champion = place == (PRICE, ModelRole.CHAMPION)
        is_remote = is_champion and self._remotes.seat(model_id, Desk(driver, clock))
        for instrument in engine.instruments:
            symbol = instrument.symbol
            if model_id != "" and not fits(self._artefacts[model_id], instrument):
                _log.warning("model_of_another_instrument", model=model_id, instrument=symbol)
                continue
            named = model_id
            if model_id != "" and not has_weight(self._artefacts[model_id]):
                _log.warning("model_without_weight", model=model_id, instrument=symbol)
                named = ""
            if role is ModelRole.CHAMPION and not self._may_seat(
                kind, instrument, engine, driver, clock
            ):
                continue
            now_ns = clock.monotonic_ns()
            driver.on_event(
                ModelSwap(now_ns, instrument.id, kind, role, named, is_remote and named != "")
            )
            _log.info("model_placed", instrument=symbol, role=role.name.lower(), model=named)
        self._placed[place] = model_id

    def _may_seat(
        self, kind: Kind, instrument: Instrument, engine: Engine, driver: Driver, clock: Clock
    ) -> bool:
        """Whether the champion of a kind may trade there; a swap ends demotions, so others that were demoted leave before."""
        name, predictor = name_of(instrument), engine.makers[instrument.id].predictor
        seated = {} if predictor is None else dict(predictor.champions)
        for other in self._kinds:
            if other != kind and (other, name) in self._demoted and other in seated:
                now_ns = clock.monotonic_ns()
                driver.on_event(ModelSwap(now_ns, instrument.id, other, ModelRole.CHAMPION, ""))
        demotion = self._demoted.get((kind, name))
        if demotion is None:
            return True
        self._refuse_on(instrument, kind, demotion.model, _said(demotion), driver, clock)
        return False

    def _refuse(
        self, place: _WATCHED, model_id: str, reason: str, driver: Driver, clock: Clock
    ) -> None:
        """Say so, and leave what there is."""
        self._refused[place] = model_id
        for instrument in driver.engine.instruments:
            self._refuse_on(instrument, place[0], model_id, reason, driver, clock)

    def _refuse_on(
        self,
        instrument: Instrument,
        kind: Kind,
        model_id: str,
        reason: str,
        driver: Driver,
        clock: Clock,
    ) -> None:
        _log.error("model_refused", instrument=instrument.symbol, model=model_id, error=reason)
        now_ns = clock.monotonic_ns()
        driver.on_event(ModelRefused(now_ns, instrument.id, kind, model_id, reason))

    def _log_changes(self, engine: Engine) -> None:
        """A line for each change of what is left of the ensemble."""
        for at, maker in enumerate(engine.makers):
            predictor = maker.predictor
            if predictor is None or predictor.rungs.total == self._changes[at]:
                continue
            new = min(predictor.rungs.total - self._changes[at], len(predictor.rungs.changes))
            for change in list(predictor.rungs.changes)[-new:]:
                is_down = change.after > change.before
                (_log.warning if is_down else _log.info)(
                    "model_rung",
                    instrument=maker.instrument.symbol,
                    before=change.before.name.lower(),
                    after=change.after.name.lower(),
                    price=change.price.name.lower(),
                    spread=change.spread.name.lower(),
                )
            self._changes[at] = predictor.rungs.total


def _said(demotion: Demotion) -> str:
    return (
        f"model {demotion.model} was demoted on {demotion.instrument} at {demotion.at} ({demotion.reason}): "
        "mmd models promote another one, or this one again"
    )


def _shape(artefact: Artefact) -> Shape | None:
    """Of a network's weights; None where they do not fit together, which its check will say better."""
    try:
        return shape_of(artefact.weights)
    except (KeyError, ValueError):
        return None
