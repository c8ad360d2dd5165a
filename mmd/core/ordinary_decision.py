"""The ordinary decision of a maker: everything that is made of numbers alone, in one call."""

from collections.abc import Callable
from functools import partial

from mmd.core.decision import EXTRAORDINARY, decide
from mmd.core.holdings import Holdings
from mmd.core.market_view import MarketView
from mmd.core.orders.order_numbers import OrderNumbers
from mmd.core.ports import Pen
from mmd.core.quote_judge import QuoteJudge
from mmd.core.quoter import Quoter
from mmd.core.quoting.quote_state import QuoteState
from mmd.core.risk.session_risk import SessionRisk
from mmd.core.risk.view import RiskView
from mmd.core.spec import QuotingSpec
from mmd.jit.kernel import Rec, bind
from mmd.jit.places import places

_LEARNED = "learned"
_GLFT = ("glft", _LEARNED)
"""Spread models that the one call knows: GLFT, and GLFT that trees lean on."""
_ACTIVE = QuoteState.ACTIVE  # a look-up through the metaclass of an Enum takes 0.1 us


class OrdinaryDecision:
    """Takes a maker's decisions as long as nothing is out of the ordinary; see `mmd.core.decision`.

    Attributes:
        is_private_up: whether private events are coming.
    """

    __slots__ = (
        "_at",
        "_decide",
        "_holdings",
        "_instrument",
        "_ledger",
        "_levels",
        "_numbers",
        "_quoter",
        "_session",
        "is_private_up",
    )

    def __init__(
        self,
        spec: QuotingSpec,
        view: MarketView,
        quoter: Quoter,
        judge: QuoteJudge,
        risk: RiskView,
        session: SessionRisk,
        numbers: OrderNumbers,
        holdings: Holdings,
    ) -> None:
        """Compile the decision, where the settings have any that is ordinary: others are taken step by step."""
        self.is_private_up = False
        self._instrument = holdings.instrument
        self._quoter = quoter
        self._session = session
        self._levels = session.levels
        self._ledger = holdings.ledger
        self._numbers = numbers
        self._holdings = holdings
        judge.calm["flow_coefficient"] = spec.flow_coefficient
        self._at: Rec = None
        self._decide: Callable[..., int] | None = None
        model = quoter.model
        judge.calm["uses_trees"] = model.name == _LEARNED
        if spec.glft_form == "exact" and model.name in _GLFT and spec.smoothing_s == 0.0:
            at = places(
                calm=judge.calm,
                state=view.record,
                features=view.features,
                vol=view.vol,
                quote=quoter.quote,
                table=model.parameters,
                intensity=quoter.intensity,
                working=risk.orders.working,
                risk=risk.record,
                budgets=session.gate.budgets,
            )
            self._at = at
            self._decide = partial(bind(decide, at, *[0] * 6), at)

    def record_with(self, pen: Pen) -> None:
        """Have ordinary decisions put on record by the call that takes them."""
        if self._decide is not None:
            self._decide = pen.bound(self._at, self._instrument)

    def plan(self, now_ns: int) -> int:
        """Plan what is to be done now; returns how many actions there are, or EXTRAORDINARY.

        Anything but 0 is to be carried out by the maker.
        """
        quoter = self._quoter
        if (
            quoter.allowed_in is not _ACTIVE
            or quoter.lead is not None
            or self._decide is None
            or not self.is_private_up
        ):
            return EXTRAORDINARY
        ledger, session = self._ledger, self._session
        if session.is_shared or ledger.changes != self._holdings.changes:
            self._holdings.tell()
        return self._decide(
            now_ns,
            self._levels.level,
            session.hindrance,
            session.lag_ns_max,
            ledger.quoted_lots,
            self._numbers.last + 1,
        )
