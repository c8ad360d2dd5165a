"""What people see of learned models: who predicts, what, how well, and what is left of the ensemble."""

from typing import Any

from mmd.core.learned.live_score import LiveScore
from mmd.core.learned.prediction import PartStatus, Rung
from mmd.core.learned.predictor import Predictor
from mmd.core.learned.served_model import ModelRole
from mmd.core.maker import Maker
from mmd.core.quoting.record import OK
from mmd.core.units import NANOS_PER_SECOND
from mmd.ops.state import ModelScoreState, PredictionState


def prediction_state(maker: Maker, now_ns: int) -> PredictionState | None:
    """As it stands; None where nothing is predicted."""
    predictor = maker.predictor
    if predictor is None:
        return None
    p, challenger = predictor.prediction[0], predictor.seats.price.get(ModelRole.CHALLENGER)
    end_ns, half_told_bps = int(p["end_ns"]), float(p["half_told_bps"])
    return PredictionState(
        rung=(predictor.rungs.rung if maker.quoter.status == OK else Rung.PULLED).name,
        price_status=PartStatus(int(p["price_status"])).name,
        spread_status=PartStatus(int(p["spread_status"])).name,
        champions=dict(predictor.champions),
        challenger="" if challenger is None else challenger.model.id,
        bars=int(p["bars"]),
        age_s=(now_ns - end_ns) / NANOS_PER_SECOND if end_ns > 0 else None,
        forecast_ticks=_said(p, "forecast_ticks", "price_status"),
        volatility_ticks=_said(p, "volatility_ticks", "price_status"),
        probability=_said(p, "probability", "price_status"),
        half_spread_bps=_said(p, "half_spread_bps", "spread_status"),
        forecast_told_ticks=float(maker.quoter.quote["forecast"][0]),
        half_spread_told_bps=half_told_bps if half_told_bps > 0.0 else None,
        forecasts_held=int(p["forecasts_held"]),
        spreads_held=int(p["spreads_held"]),
        policy_action="" if predictor.policy is None else predictor.policy.action_name,
        swaps=predictor.swaps,
        refusals=predictor.refusals,
        refusal=predictor.refusal,
        rung_changes=predictor.rungs.total,
        scores=_scores(predictor),
    )


def _said(prediction: Any, output: str, status: str) -> float | None:
    """An output of a part; None while the part has no say: what stands in the record then is there for quotes alone."""
    return float(prediction[output]) if prediction[status] == PartStatus.OK else None


def _scores(predictor: Predictor) -> list[ModelScoreState]:
    return [state for role, live in predictor.scores.items() for state in _of(role, live)]


def _of(role: ModelRole, live: LiveScore) -> list[ModelScoreState]:
    return [
        ModelScoreState(
            role=role.name.lower(),
            model=live.run.model.id,
            bars_ahead=score.bars_ahead,
            n=score.n,
            r2=score.r2,
            hit_ratio=score.hit_ratio,
            rmse_ticks=(score.squared_error / score.n) ** 0.5 if score.n > 0 else None,
        )
        for score in live.scores
    ]
