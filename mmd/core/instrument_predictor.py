"""Makes the predictor of an instrument, where a session wants one, and has its market view close the bars."""

from mmd.core.learned.predictor import Predictor
from mmd.core.market_view import MarketView
from mmd.core.spec import SessionSpec
from mmd.jit.kernel import Rec


def predictor_of(spec: SessionSpec, view: MarketView, quote: Rec) -> Predictor | None:
    """Whoever predicts an instrument, its bars closed by the view; None where nobody is wanted."""
    if not spec.models.enabled:
        return None
    unix_less_engine_ns = spec.started_unix_ns - spec.started_monotonic_ns
    predictor = Predictor(spec.models, view.features, view.flow, quote, unix_less_engine_ns)
    view.predict_by(predictor)
    return predictor
