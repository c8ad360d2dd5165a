"""Makes the predictor of an instrument, where a session wants one, and has its market view close the bars."""

from mmd.core.learned.drift_response import Response
from mmd.core.learned.ordinary_bar import Records
from mmd.core.learned.policy_run import Lean
from mmd.core.learned.predictor import Predictor
from mmd.core.market_view import MarketView
from mmd.core.quoter import Quoter
from mmd.core.quoting.multipliers import Cause
from mmd.core.spec import SessionSpec


def predictor_of(spec: SessionSpec, view: MarketView, quoter: Quoter) -> Predictor | None:
    """Whoever predicts an instrument, its bars closed by the view; None where nobody is wanted."""
    if not spec.models.enabled:
        return None

    def lean(by: Lean) -> None:
        quoter.multipliers.set(Cause.POLICY, spread=by.spread, size=by.size, skew=by.skew)

    def doubt(by: Response) -> None:
        quoter.multipliers.set(Cause.DRIFT, spread=by.spread, size=by.size)

    records = Records(view.features, view.flow, view.vol, quoter.quote)
    unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
    predictor = Predictor(spec.models, records, unix_less_engine_ns, lean, doubt)
    view.predict_by(predictor)
    return predictor
