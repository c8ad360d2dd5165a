"""What learned models say of one instrument: bars are closed, networks stepped, trees walked, results published.

Bars are closed before the event that comes after their end is applied (MarketView) and on the timer (Maker), so that
a prediction depends on the market and not on when anybody looked. Between bars this costs the hot path one comparison.
"""

from collections.abc import Callable
from functools import partial

from mmd.core.events import ModelOutput, ModelRefused, ModelSwap
from mmd.core.learned import samples as bars
from mmd.core.learned.bar import LEANS, UNSETTLED
from mmd.core.learned.demotion import DemotionReason, FaultCount
from mmd.core.learned.drift_monitor import DriftMonitor, Forecaster
from mmd.core.learned.drift_response import Response
from mmd.core.learned.live_score import LiveScore
from mmd.core.learned.model_run import SpreadRun
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.online_forecast import OnlineForecast
from mmd.core.learned.ordinary_bar import OrdinaryBar, Records
from mmd.core.learned.policy_run import Lean, PolicyRun, policy_inputs
from mmd.core.learned.prediction import (
    FAULTS,
    NO_MODEL,
    OK,
    PartStatus,
    new_prediction,
    publish,
    take_price,
    take_spread,
)
from mmd.core.learned.remote_run import RemoteRun
from mmd.core.learned.rungs import Rungs
from mmd.core.learned.samples import CLOSED, NOT_YET, SAMPLES, WARM_BARS
from mmd.core.learned.seats import Seats, seated
from mmd.core.learned.served_model import PRICE, SPREAD, ModelRole, ModelSource
from mmd.core.learned.trial_spec import TrialArm
from mmd.errors import ArtefactError
from mmd.jit.kernel import Rec, bind, new

_CHAMPION, _CANARY = ModelRole.CHAMPION, ModelRole.CANARY
_HELD_OUT, _DRIFTED = PartStatus.HELD_OUT, PartStatus.DRIFTED
_DEMOTED, _LATE = PartStatus.DEMOTED, PartStatus.LATE
_NOTHING = 0.0, 0.0, 0.0, 0.0, 0.0


class Predictor:
    """One instrument's models.

    Attributes:
        samples: SAMPLES record, the sampling clock.
        prediction: PREDICTION record of the last bar.
        seats: the models at work.
        champions: by kind, the id of the model that quotes are made with; no entry: none.
        scores: of the networks, by role.
        online: the regression that learns while trading; None where none was asked for.
        drift: watches the forecaster's errors; None where nobody does.
        arm: who makes the quotes of this block of time.
        demoted: why the champions may quote no more, until others come; blamed: the kinds of those that caused it.
        faults: bars whose prediction was late, no number or out of range.
        swaps, refusals, demotions: how many there were; refusal: why the last one was.
        rungs: how the ensemble stands, and stood.
    """

    def __init__(
        self,
        spec: ModelsSpec,
        records: Records,
        unix_less_engine_ns: int,
        lean: Callable[[Lean], None],
        doubt: Callable[[Response], None] | None = None,
    ) -> None:
        """`lean` is told what the policy makes of quotes, `doubt` what drift does."""
        self.samples: Rec = new(SAMPLES)
        p = new_prediction(spec)
        self.prediction: Rec = p
        self.seats = Seats(spec)
        self.champions: dict[str, str] = self.seats.champions
        self.scores: dict[ModelRole, LiveScore] = self.seats.scores
        self.online: OnlineForecast | None = None
        if spec.is_online:
            self.online = OnlineForecast(spec.horizon_bars, spec.bar_ns, records.vol)
        self.drift = DriftMonitor(spec.horizon_bars) if spec.watches_drift else None
        self.arm = TrialArm.CHAMPION
        self.demoted = DemotionReason.NONE
        self.blamed: tuple[str, ...] = ()
        self.swaps = self.refusals = self.demotions = 0
        self.refusal = ""
        self.rungs = Rungs()
        self.faults = 0
        self._fault_count = None if spec.demotion is None else FaultCount(spec.demotion)
        self._spec = spec
        self._records, self._lean, self._leaning = records, lean, Lean()
        self._doubt = doubt
        self._end_ns = memoryview(self.samples["end_ns"])
        self._inputs = self.samples["x"][0]
        self._mid = memoryview(records.features["mid"])
        bars.start(self.samples, unix_less_engine_ns=unix_less_engine_ns, bar_ns=spec.bar_ns)
        self._bar = OrdinaryBar(spec, self.seats, records, self.samples, p)
        self._take_price = partial(bind(take_price, p, 0, 0.0, 0.0, 0.0, 0.0, 0.0), p)
        self._take_spread = partial(bind(take_spread, p, 0, 0.0), p)
        told = p, records.quote, records.features
        self._publish = partial(bind(publish, *told, 0), *told)
        self._arrange()

    @property
    def end_ns(self) -> int:
        """When the bar at hand ends; 0 = now: the clock has not started."""
        return self._end_ns[0]

    @property
    def policy(self) -> PolicyRun | None:
        """The Q-learning policy that quotes, or would."""
        return seated(self.seats.policy, self.arm)

    def advance(self, now_ns: int) -> int:
        """Close every bar that ended before now and predict at each; returns when the next one ends."""
        bar = self._bar
        status = bar.close(now_ns)
        if status == NOT_YET:
            return self._end_ns[0]
        if status == CLOSED and bar.is_ordinary and now_ns <= self._end_ns[0]:
            self._on_ordinary_bar(bar, now_ns)
            return self._end_ns[0]
        while status != NOT_YET:
            if status == CLOSED:
                self._on_bar(now_ns)
            else:
                self._forget()
            status = bar.close(now_ns)
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
            self.seats.place(event, model)
        except ArtefactError as error:
            self._refuse(str(error))
            return
        self.swaps += 1
        if event.role == _CHAMPION:  # nothing that was said of the one before is held against it
            self.demoted = DemotionReason.NONE
            if self._fault_count is not None:
                self._fault_count.clear()
            if self.drift is not None:
                self.drift.restart()
        self._arrange()
        self._settle(event.ts_recv_ns)

    def on_output(self, event: ModelOutput) -> None:
        """The champion's outputs have come back from where it is computed."""
        run = self.seats.price.get(_CHAMPION)
        if not isinstance(run, RemoteRun) or run.model.id != event.model_id:
            return
        if run.take(event.number, event.outputs):
            self._settle(event.ts_recv_ns)

    def follow_arm(self, arm: TrialArm, now_ns: int) -> None:
        """Have another arm make the quotes from now on."""
        self.arm = arm
        self._arrange()
        self._settle(now_ns)

    def demote(self, reason: DemotionReason, now_ns: int, *kinds: str) -> None:
        """Take all that was learned out of the quotes, until another champion comes; `kinds` are to blame, or all."""
        if self.demoted is DemotionReason.NONE:
            self.demoted = reason
            self.blamed = kinds or tuple(self.champions)
            self.demotions += 1
            self._arrange()
            self._settle(now_ns)

    def on_time(self, now_ns: int) -> None:
        """On the timer: a prediction that is too old is used no longer, and doubts fade."""
        drift = self.drift
        if drift is not None and drift.watch.pass_time(now_ns):
            self._answer_drift(now_ns)
        if self._is_late(now_ns) and self.prediction["price_status"][0] != _LATE:
            self._settle(now_ns)

    def _refuse(self, reason: str) -> None:
        self.refusals += 1
        self.refusal = reason

    def _arrange(self) -> None:
        """Somebody came or went: see whether bars are ordinary from now on."""
        is_in = self.arm is TrialArm.CHAMPION and self.demoted is DemotionReason.NONE
        self._bar.arrange(may_be=is_in and self.online is None)

    def _on_ordinary_bar(self, bar: OrdinaryBar, now_ns: int) -> None:
        """As `_on_bar` and `_settle`, in one call but for the network's step."""
        network = bar.network
        if network is None:
            told = bar.conclude(now_ns, NO_MODEL)
        else:
            network.step(self.seats.memory.newest)
            if self.drift is not None:
                self._watch_drift(now_ns)
            told = bar.conclude(now_ns, network.status)
        if not bar.is_ordinary:  # drift has just taken the champions out
            self._settle(now_ns)
            return
        if told & LEANS:
            self._lean_by_policy()
        if told & UNSETTLED:
            self._tell(*bar.statuses, now_ns)

    def _on_bar(self, now_ns: int) -> None:
        """A sample is there: every model says what it makes of it."""
        mid, end_ns, memory = self._mid[0], self._end_ns[0] - self._spec.bar_ns, self.seats.memory
        x = memory.newest
        self.seats.step_networks(x)
        if self.online is not None:
            self.online.step(x, mid, end_ns)
        self._watch_drift(now_ns)
        self.seats.step_trees(x, mid)
        if memory.bars >= WARM_BARS and self.seats.policy:
            quote, vol = self._records.quote, self._records.vol
            self.seats.step_policies(end_ns, policy_inputs(quote, vol, self._inputs, mid))
        self.prediction["end_ns"] = end_ns
        self.prediction["bars"] = memory.bars

    def _watch_drift(self, now_ns: int) -> None:
        drift, forecaster = self.drift, self._forecaster(_CHAMPION)
        if drift is None or forecaster is None:
            return
        if drift.on_bar(self._mid[0], forecaster, now_ns):
            self._answer_drift(now_ns)

    def _answer_drift(self, now_ns: int) -> None:
        """The level of doubt has changed: wider and smaller first, then without forecasts, then nothing is learned."""
        assert self.drift is not None, "only its watch changes levels"
        response = self.drift.watch.response
        self._bar.doubt(is_doubted=not response.uses_forecasts)
        if self.online is not None:
            self.online.freeze(is_frozen=not response.learns)
        if self._doubt is not None:
            self._doubt(response)
        if not response.learns and self._fault_count is not None and self.online is None:
            self.demote(DemotionReason.CALIBRATION, now_ns, PRICE)
        self._settle(now_ns)

    def _lean_by_policy(self) -> None:
        """Have quotes follow the last action, where the session asked for it."""
        policy, may_quote = self.policy, self._veto() is None
        wanted = policy.lean if policy is not None and may_quote else Lean()
        if self._spec.uses_policy and wanted != self._leaning:
            self._leaning = wanted
            self._lean(wanted)

    def _forget(self) -> None:
        self.prediction["bars"] = 0
        self.seats.forget()
        if self.online is not None:
            self.online.restart()
        if self.drift is not None:
            self.drift.restart()

    def _forecaster(self, role: ModelRole) -> Forecaster | None:
        """Who forecasts the price; the session names one source."""
        return self.online if self.online is not None else self.seats.price.get(role)

    def _veto(self) -> PartStatus | None:
        """Why nothing that was learned may move quotes now; None: it may."""
        if self.arm is TrialArm.HOLDOUT:
            return _HELD_OUT
        is_out = self.demoted is not DemotionReason.NONE and self.arm is TrialArm.CHAMPION
        return _DEMOTED if is_out else None

    def _is_late(self, now_ns: int) -> bool:
        """Whether the bar of the last prediction ended too long ago."""
        end_ns, late_bars = int(self.prediction["end_ns"][0]), self._spec.late_bars
        return late_bars > 0 and end_ns > 0 and now_ns - end_ns > late_bars * self._spec.bar_ns

    def _price_status(self, price: Forecaster, now_ns: int) -> int:
        """Of a forecast that may be made; its own but for what speaks against using it."""
        if price.status != OK:
            return price.status
        if self._is_late(now_ns):
            return _LATE
        is_doubted = self.drift is not None and not self.drift.watch.response.uses_forecasts
        return _DRIFTED if is_doubted else OK

    def _settle(self, now_ns: int) -> None:
        """Write what quotes read, and note it where the rung has changed."""
        self._lean_by_policy()
        veto = self._veto()
        price = self._forecaster(_CANARY) if self.arm is TrialArm.CANARY else None
        price = price or self._forecaster(_CHAMPION)
        spread: SpreadRun | None = seated(self.seats.spread, self.arm)
        price_status, spread_status = NO_MODEL, NO_MODEL
        if price is None or veto is not None:
            price_status = self._take_price(veto or NO_MODEL, *_NOTHING)
        else:
            scales = price.change_scale, price.volatility_scale
            price_status = self._take_price(
                self._price_status(price, now_ns), *price.outputs, *scales
            )
        if spread is None or veto is not None:
            spread_status = self._take_spread(veto or NO_MODEL, 0.0)
        else:
            spread_status = self._take_spread(spread.status, spread.half_spread_bps)
        self._tell(price_status, spread_status, now_ns)

    def _tell(self, price_status: int, spread_status: int, now_ns: int) -> None:
        """Both parts are settled: count what is their own fault (a champion with too much of it goes), then publish."""
        if price_status in FAULTS or spread_status in FAULTS:
            self.faults += 1
            count = self._fault_count
            if count is not None and self.arm is TrialArm.CHAMPION and count.add(now_ns):
                parts = (PRICE, price_status), (SPREAD, spread_status)
                self.demote(DemotionReason.FAULTS, now_ns, *(k for k, s in parts if s in FAULTS))
        self.rungs.note(self._publish(now_ns), price_status, spread_status, now_ns)
