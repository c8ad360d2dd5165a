"""Who sits where among one instrument's models: champions, the challenger that is watched, canaries that are tried."""

from collections.abc import Callable
from typing import Final, TypeVar

from mmd.core.events import ModelSwap
from mmd.core.learned.bar_memory import BarMemory
from mmd.core.learned.live_score import SCORE, LiveScore, judge_bar
from mmd.core.learned.model_run import PriceRun, SpreadRun
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.policy_run import PolicyInputs, PolicyRun
from mmd.core.learned.prediction import WARMING_UP
from mmd.core.learned.remote_run import PredictionSink, RemoteRun
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.served_model import POLICY, PRICE, SPREAD, ModelRole, ServedModel
from mmd.core.learned.trial_spec import TrialArm
from mmd.errors import ArtefactError
from mmd.jit.kernel import F4, bind, new

_CHAMPION, _CHALLENGER, _CANARY = ModelRole.CHAMPION, ModelRole.CHALLENGER, ModelRole.CANARY
_Run = TypeVar("_Run")
_SEATS: Final = (_CHAMPION, _CANARY)
"""Whose models can quote; a challenger can only be a network."""


class Seats:
    """One instrument's models at work.

    Attributes:
        price, spread, policy: by role, who predicts.
        champions, canaries: by kind, their ids; no entry: none.
        scores: of the networks, by role.
        memory: the last bars.
    """

    def __init__(self, spec: ModelsSpec) -> None:
        self.price: dict[ModelRole, PriceRun | RemoteRun] = {}
        self.spread: dict[ModelRole, SpreadRun] = {}
        self.policy: dict[ModelRole, PolicyRun] = {}
        self.champions: dict[str, str] = {}
        self.canaries: dict[str, str] = {}
        self.scores: dict[ModelRole, LiveScore] = {}
        self.memory = BarMemory()
        self.sink: PredictionSink | None = None
        """Who computes networks that are not computed here; None: nobody, as in a replay."""
        self.fallbacks = 0
        """Champions that were computed elsewhere and are computed here instead."""
        self._spec = spec
        bind(judge_bar, new(SCORE), 0.0, 0)  # now, and not when a network is seated between events

    def place(self, event: ModelSwap, model: ServedModel | None) -> None:
        """Seat a model, warmed up on the bars of now; None leaves the seat empty. Raises: ArtefactError."""
        role, kind = ModelRole(event.role), event.kind
        if model is not None and not self._is_meant(model, kind):
            raise ArtefactError(
                f"model {model.id} is a {model.kind} of bars of {model.bar_ns} ns, expected a {kind} of "
                f"{self._spec.bar_ns}: change models.bar_ms or train one"
            )
        if kind == PRICE:
            self._place_price(role, model, is_remote=event.is_remote)
        elif kind == SPREAD and role in _SEATS:
            _seat(self.spread, role, model, self._warm_spread)
        elif kind == POLICY and role in _SEATS:
            _seat(self.policy, role, model, PolicyRun)
        if role is not _CHALLENGER:
            ids = self.champions if role is _CHAMPION else self.canaries
            ids.pop(kind, None)
            if model is not None:
                ids[kind] = model.id

    def step_networks(self, x: F4) -> None:
        """A bar has ended: networks say what they make of it."""
        for run in self.price.values():
            run.step(x)

    def step_trees(self, x: F4, mid_ticks: float) -> None:
        """And trees; networks are scored."""
        is_warm = self.memory.bars >= WARM_BARS
        for trees in self.spread.values():
            if is_warm:
                trees.step(x)
            else:
                trees.status = WARMING_UP
        for score in self.scores.values():
            score.on_bar(mid_ticks)

    def step_policies(self, end_ns: int, inputs: PolicyInputs) -> None:
        """And tables choose, once there is enough of a past."""
        for table in self.policy.values():
            table.step(end_ns, inputs)

    def forget(self) -> None:
        """The feed has a gap."""
        self.memory.forget()
        for run in self.price.values():
            run.restart()
        for trees in self.spread.values():
            trees.status = WARMING_UP
        for table in self.policy.values():
            table.restart()
        for score in self.scores.values():
            score.restart()

    def read_through(self) -> None:
        """Read every weight once and change nothing, so that a processor has them near when the bar ends."""
        for run in self.price.values():
            run.read_through()
        for trees in self.spread.values():
            trees.read_through()

    def _is_meant(self, model: ServedModel, kind: str) -> bool:
        """Whether a model is of that kind and our bars; a policy's may be some of ours together."""
        bar_ns = self._spec.bar_ns
        is_of_bars = model.bar_ns == bar_ns or (kind == POLICY and model.bar_ns % bar_ns == 0)
        return model.kind == kind and is_of_bars

    def _place_price(self, role: ModelRole, model: ServedModel | None, *, is_remote: bool) -> None:
        before = self.price.get(role)
        is_same = model is not None and before is not None and before.model.id == model.id
        self.fallbacks += is_same and isinstance(before, RemoteRun) and not is_remote
        _seat(self.price, role, model, self._ask_price if is_remote else self._warm_price)
        self.scores.pop(role, None)
        if role in self.price:
            self.scores[role] = LiveScore(self.price[role])

    def _warm_price(self, model: ServedModel) -> PriceRun | RemoteRun:
        """A network that has been stepped through the bars that are remembered."""
        return self._through_memory(PriceRun(model, self._spec.horizon_bars))

    def _ask_price(self, model: ServedModel) -> PriceRun | RemoteRun:
        """The same for one that is computed elsewhere."""
        spec = self._spec
        return self._through_memory(RemoteRun(model, spec.horizon_bars, self.sink, spec.late_bars))

    def _through_memory(self, run: PriceRun | RemoteRun) -> PriceRun | RemoteRun:
        run.restart()
        for x in self.memory.last():
            run.step(x)
        return run

    def _warm_spread(self, model: ServedModel) -> SpreadRun:
        trees = SpreadRun(model)
        trees.status = WARMING_UP
        if self.memory.bars >= WARM_BARS:
            trees.step(self.memory.last()[-1])
        return trees


def _seat(
    seats: dict[ModelRole, _Run],
    role: ModelRole,
    model: ServedModel | None,
    make: Callable[[ServedModel], _Run],
) -> None:
    """Put what is made of a model in a role's place; as it was where making it fails."""
    if model is None:
        seats.pop(role, None)
    else:
        seats[role] = make(model)


def seated(seats: dict[ModelRole, _Run], arm: TrialArm) -> _Run | None:
    """Who of a kind makes the quotes of an arm: the canary where there is one, else the champion."""
    canary = seats.get(_CANARY) if arm is TrialArm.CANARY else None
    return canary if canary is not None else seats.get(_CHAMPION)
