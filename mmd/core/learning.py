"""What learns and is tried out on one instrument's quotes, once a second: the bandit, trials of models, and who has to go."""

from mmd.core.inventory.ledger import Ledger
from mmd.core.learned.bandit_run import BanditRun
from mmd.core.learned.bandits import Arm
from mmd.core.learned.demotion import DemotionReason, MarkoutCusum
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.trial_spec import TrialArm
from mmd.core.learned.trials import Trials
from mmd.core.market_view import MarketView
from mmd.core.orders.order_numbers import OrderCounts
from mmd.core.quote_judge import QuoteJudge
from mmd.core.quoter import Quoter
from mmd.core.quoting.multipliers import Cause
from mmd.core.quoting.quote_state import QuoteState
from mmd.core.risk.levels import RiskLevel
from mmd.core.spec import SessionSpec

_WITHDRAWN = QuoteState.WITHDRAWN
_CHAMPION = TrialArm.CHAMPION


class Learning:
    """One instrument's.

    Attributes:
        bandit: None where there is none.
        trials: None where all blocks are the champion's.
        cusum: of the champion's markouts; None where nobody is demoted.
    """

    def __init__(
        self,
        spec: SessionSpec,
        instrument: int,
        predictor: Predictor,
        quoter: Quoter,
        judge: QuoteJudge,
        ledger: Ledger,
        view: MarketView,
        counts: OrderCounts,
    ) -> None:
        """Everything is the instrument's own."""
        self._predictor, self._quoter, self._judge = predictor, quoter, judge
        self._sigma = memoryview(view.vol["sigma"])
        self._now_ns = 0
        self._canary_size_ratio = 1.0
        models, markout = spec.models, ledger.markouts.record
        self.bandit: BanditRun | None = None
        if models.bandit is not None:
            self.bandit = BanditRun(
                models.bandit, seed=spec.seed, stream=instrument,
                markout=markout, quote=quoter.quote, use=self._use_arm,
            )  # fmt: skip
        self.trials: Trials | None = None
        if models.trials is not None:
            self._canary_size_ratio = models.trials.canary_size_ratio
            self.trials = Trials(
                models.trials, seed=spec.seed, stream=instrument,
                markout=markout, quote=quoter.quote, counts=counts, use=self._hand_to,
            )  # fmt: skip
        self.cusum: MarkoutCusum | None = None
        if models.demotion is not None:
            self.cusum = MarkoutCusum(models.demotion, markout)
        self._swaps = 0

    def on_step(self, now_ns: int, ticks_per_bps: float) -> None:
        """About once a second."""
        self._now_ns = now_ns
        judge, predictor = self._judge, self._predictor
        is_quoting = judge.state is not _WITHDRAWN and judge.level <= RiskLevel.CAUTIOUS
        if predictor.online is not None:
            is_doubted = predictor.drift is not None and not predictor.drift.watch.response.learns
            predictor.online.freeze(is_frozen=is_doubted or not is_quoting)
        if self.trials is not None:
            canary = next(iter(predictor.seats.canaries.values()), "")
            self.trials.on_step(now_ns, ticks_per_bps, is_quoting=is_quoting, canary=canary)
        if self.bandit is not None:
            is_champion = predictor.arm is _CHAMPION and predictor.demoted is DemotionReason.NONE
            self.bandit.on_step(now_ns, ticks_per_bps, is_quoting=is_quoting and is_champion)
        if self.cusum is not None:
            self._watch_markouts(self.cusum, now_ns)

    def _watch_markouts(self, cusum: MarkoutCusum, now_ns: int) -> None:
        if self._predictor.swaps != self._swaps:
            self._swaps = self._predictor.swaps
            cusum.clear()
        if cusum.update(self._sigma[0]) and self._predictor.champions:
            self._predictor.demote(DemotionReason.MARKOUT, now_ns)
            cusum.clear()

    def _use_arm(self, arm: Arm) -> None:
        self._quoter.lean_by(arm.gamma_factor, arm.impact_bps)

    def _hand_to(self, arm: TrialArm) -> None:
        """Another arm makes the quotes from now on."""
        if self.cusum is not None:
            self.cusum.on_arm(arm)
        is_canary = arm is TrialArm.CANARY
        size = self._canary_size_ratio if is_canary else 1.0
        self._quoter.multipliers.set(Cause.CANARY, size=size)
        self._predictor.follow_arm(arm, self._now_ns)


def learning_of(
    spec: SessionSpec,
    instrument: int,
    predictor: Predictor | None,
    quoter: Quoter,
    judge: QuoteJudge,
    ledger: Ledger,
    view: MarketView,
    counts: OrderCounts,
) -> Learning | None:
    """Whoever learns on an instrument; None where a session asks for none of it."""
    models = spec.models
    wanted = models.bandit, models.trials, models.demotion
    is_wanted = models.is_online or any(part is not None for part in wanted)
    if predictor is None or not is_wanted:
        return None
    return Learning(spec, instrument, predictor, quoter, judge, ledger, view, counts)
