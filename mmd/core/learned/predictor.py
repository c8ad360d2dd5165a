"""What learned models say of one instrument: bars are closed, networks stepped, trees walked, results published.

Bars are closed before the event that comes after their end is applied (MarketView) and on the timer (Maker), so that
a prediction depends on the market and not on when anybody looked. Between bars this costs the hot path one comparison.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from mmd.core.events import ModelRefused, ModelSwap
from mmd.core.learned import samples as bars
from mmd.core.learned.live_score import LiveScore
from mmd.core.learned.model_run import PriceRun, SpreadRun
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.policy_run import Lean, PolicyInputs, PolicyRun
from mmd.core.learned.prediction import (
    NO_MODEL,
    PREDICTION,
    WARMING_UP,
    PartStatus,
    Rung,
    publish,
    take_price,
    take_spread,
)
from mmd.core.learned.samples import CLOSED, NOT_YET, SAMPLES, WARM_BARS
from mmd.core.learned.schema import N
from mmd.core.learned.served_model import POLICY, PRICE, SPREAD, ModelRole, ModelSource, ServedModel
from mmd.core.market import features as feats
from mmd.errors import ArtefactError
from mmd.jit.kernel import Rec, bind, new

CHANGES_KEPT: Final = 64
_SPREAD, _IMBALANCE = feats.index("spread"), feats.index("imbalance_1")


class RungChange(NamedTuple):
    """The ensemble lost a part, or got it back."""

    ts_ns: int
    before: Rung
    after: Rung
    price: PartStatus
    spread: PartStatus


class Records(NamedTuple):
    """Of one instrument's market and quotes."""

    features: Rec
    flow: Rec
    vol: Rec
    quote: Rec


class Predictor:
    """One instrument's models.

    Attributes:
        samples: SAMPLES record, the sampling clock.
        prediction: PREDICTION record of the last bar.
        champions: by kind, the id of the model that quotes are made with; no entry: none.
        policy: the Q-learning policy; None where there is none.
        challenger: the network that is watched beside; None where there is none.
        scores: of the champion network and the challenger, by role.
        swaps, refusals: how many there were.
        refusal: why the last one was.
        changes: of the rung, the last CHANGES_KEPT.
        changes_total: how many there were.
    """

    def __init__(
        self,
        spec: ModelsSpec,
        records: Records,
        unix_less_engine_ns: int,
        lean: Callable[[Lean], None],
    ) -> None:
        """`lean` is told what the policy makes of quotes."""
        features, flow = records.features, records.flow
        self.samples: Rec = new(SAMPLES)
        self.prediction: Rec = new(PREDICTION)
        self.champions: dict[str, str] = {}
        self.challenger: PriceRun | None = None
        self.scores: dict[ModelRole, LiveScore] = {}
        self.swaps = self.refusals = 0
        self.refusal = ""
        self.changes: deque[RungChange] = deque(maxlen=CHANGES_KEPT)
        self.changes_total = 0
        self.rung = Rung.GLFT
        self._spec = spec
        self._price: PriceRun | None = None
        self._spread: SpreadRun | None = None
        self.policy: PolicyRun | None = None
        self._records, self._lean, self._leaning = records, lean, Lean()
        self._x = np.zeros((WARM_BARS, N), np.float32)
        """Inputs of the last bars, for a network that comes in the middle of a session to warm up on at once."""
        self._bars = memoryview(self.samples["bars"])
        self._end_ns = memoryview(self.samples["end_ns"])
        self._inputs = self.samples["x"][0]
        self._mid = memoryview(features["mid"])
        bars.start(self.samples, unix_less_engine_ns=unix_less_engine_ns, bar_ns=spec.bar_ns)
        clock = (self.samples, features, flow)
        self._close = partial(bind(bars.close, *clock, 0), *clock)
        p = self.prediction
        p["uses_forecast"], p["spread_weight"] = spec.uses_forecast, spec.spread_weight
        p["price_status"] = p["spread_status"] = NO_MODEL
        p["rung"], p["probability"] = Rung.GLFT, 0.5
        self._take_price = partial(bind(take_price, p, 0, 0.0, 0.0, 0.0, 0.0, 0.0), p)
        self._take_spread = partial(bind(take_spread, p, 0, 0.0), p)
        self._publish = partial(bind(publish, p, records.quote, 0.0), p, records.quote)

    @property
    def end_ns(self) -> int:
        """When the bar at hand ends; 0 = now: the clock has not started."""
        return self._end_ns[0]

    def advance(self, now_ns: int) -> int:
        """Close every bar that ended before now and predict at each; returns when the next one ends."""
        status = self._close(now_ns)
        if status == NOT_YET:
            return self._end_ns[0]
        while status != NOT_YET:
            if status == CLOSED:
                self._on_bar()
            else:
                self._forget()
            status = self._close(now_ns)
        self._settle(now_ns)
        return self._end_ns[0]

    def restart(self, now_ns: int) -> None:
        """The feed has a gap: forget the past, and say nothing before there is enough of a new one."""
        self._end_ns[0] = 0
        self._forget()
        self._settle(now_ns)

    def on_model(self, event: ModelSwap | ModelRefused, source: ModelSource) -> None:
        """Put a model in its place, warmed up on the bars of now; an empty id leaves the place empty.

        One that the shell refused, or that does not fit here, is counted, and what there is goes on.

        Raises: ArtefactError where a replay does not find the model.
        """
        if isinstance(event, ModelRefused):
            self._refuse(event.reason)
            return
        model = None if event.model_id == "" else source.find(event.model_id)
        try:
            self._place(event, model)
        except ArtefactError as error:
            self._refuse(str(error))
            return
        self.swaps += 1
        self._settle(event.ts_recv_ns)

    def _refuse(self, reason: str) -> None:
        self.refusals += 1
        self.refusal = reason

    def _place(self, event: ModelSwap, model: ServedModel | None) -> None:
        role = ModelRole(event.role)
        if model is not None and not self._is_meant(model, event.kind):
            raise ArtefactError(
                f"model {model.id} is a {model.kind} of bars of {model.bar_ns} ns, expected a {event.kind} of "
                f"{self._spec.bar_ns}: change models.bar_ms or train one"
            )
        if event.kind == PRICE:
            self._place_price(role, model)
        elif event.kind == SPREAD and role is ModelRole.CHAMPION:
            self._spread = None if model is None else self._warm_spread(SpreadRun(model))
        elif event.kind == POLICY and role is ModelRole.CHAMPION:
            self.policy = None if model is None else PolicyRun(model)
        if role is ModelRole.CHAMPION:
            self.champions.pop(event.kind, None)
            if model is not None:
                self.champions[event.kind] = model.id

    def _is_meant(self, model: ServedModel, kind: str) -> bool:
        """Whether a model is of that kind and our bars; a policy's may be some of ours together."""
        bar_ns = self._spec.bar_ns
        is_of_bars = model.bar_ns == bar_ns or (kind == POLICY and model.bar_ns % bar_ns == 0)
        return model.kind == kind and is_of_bars

    def _place_price(self, role: ModelRole, model: ServedModel | None) -> None:
        run = None if model is None else self._warm_price(PriceRun(model, self._spec.horizon_bars))
        if role is ModelRole.CHAMPION:
            self._price = run
        else:
            self.challenger = run
        self.scores.pop(role, None)
        if run is not None:
            self.scores[role] = LiveScore(run)

    def _warm_price(self, run: PriceRun) -> PriceRun:
        """Step it through the bars that are remembered."""
        run.restart()
        known = min(self._bars[0], WARM_BARS)
        for back in range(known, 0, -1):
            run.step(self._x[(self._bars[0] - back) % WARM_BARS])
        return run

    def _warm_spread(self, run: SpreadRun) -> SpreadRun:
        run.status = WARMING_UP
        if self._bars[0] >= WARM_BARS:
            run.step(self._x[(self._bars[0] - 1) % WARM_BARS])
        return run

    def _on_bar(self) -> None:
        """A sample is there: every model says what it makes of it."""
        n, mid = self._bars[0], self._mid[0]
        x = self._x[(n - 1) % WARM_BARS]
        x[:] = self._inputs
        if self._price is not None:
            self._price.step(x)
        if self.challenger is not None:
            self.challenger.step(x)
        if self._spread is not None:
            if n >= WARM_BARS:
                self._spread.step(x)
            else:
                self._spread.status = WARMING_UP
        for score in self.scores.values():
            score.on_bar(mid)
        end_ns = self._end_ns[0] - self._spec.bar_ns
        if self.policy is not None and n >= WARM_BARS:
            self.policy.step(end_ns, self._policy_inputs(mid))
        self.prediction["end_ns"] = end_ns
        self.prediction["bars"] = n

    def _policy_inputs(self, mid: float) -> PolicyInputs:
        """As of the bar's end; inventory and time left as of the last decision."""
        quote, vol, x = self._records.quote, self._records.vol, self._inputs
        return PolicyInputs(
            inventory_ratio=float(quote["inventory_ratio"][0]),
            mid_ticks=mid,
            spread_ticks=float(x[_SPREAD]),
            sigma_ticks=float(vol["sigma"][0]),
            close_s=float(quote["tau_s"][0]),
            imbalance=float(x[_IMBALANCE]),
        )

    def _lean_by_policy(self) -> None:
        """Have quotes follow the last action, where the session asked for it."""
        wanted = Lean() if self.policy is None else self.policy.lean
        if self._spec.uses_policy and wanted != self._leaning:
            self._leaning = wanted
            self._lean(wanted)

    def _forget(self) -> None:
        self.prediction["bars"] = 0
        for run in (self._price, self.challenger):
            if run is not None:
                run.restart()
        if self._spread is not None:
            self._spread.status = WARMING_UP
        if self.policy is not None:
            self.policy.restart()
        for score in self.scores.values():
            score.restart()

    def _settle(self, now_ns: int) -> None:
        """Write what quotes read, and note it where the rung has changed."""
        self._lean_by_policy()
        price, spread = self._price, self._spread
        price_status, spread_status = NO_MODEL, NO_MODEL
        if price is None:
            self._take_price(NO_MODEL, 0.0, 0.0, 0.0, 0.0, 0.0)
        else:
            scales = price.change_scale, price.volatility_scale
            price_status = self._take_price(price.status, *price.outputs, *scales)
        if spread is None:
            self._take_spread(NO_MODEL, 0.0)
        else:
            spread_status = self._take_spread(spread.status, spread.half_spread_bps)
        rung = self._publish(self._mid[0])
        if rung != self.rung:
            before, self.rung = self.rung, Rung(rung)
            parts = PartStatus(price_status), PartStatus(spread_status)
            self.changes.append(RungChange(now_ns, before, self.rung, *parts))
            self.changes_total += 1
