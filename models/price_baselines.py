"""What a price predictor must beat: the book's imbalance alone, and a linear model of the same inputs.

Both are fitted on the training stretch and see the inputs as the network does, scaled and clipped.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmd.core.learned.lstm import CLIP
from mmd.core.learned.samples import WARM_BARS
from mmd.core.market import features
from mmd.jit.kernel import F4, F8
from models.price_data import PriceData, Split, robust_scale, unseen_cycles

IMBALANCE, LINEAR = "imbalance sign", "linear"
_PENALTIES: Final = (1e-4, 1e-3, 1e-2, 1e-1)
"""Of the ridge, as shares of the number of samples; selection decides."""
_TARGET_SDS_MAX: Final = 8.0
_CHUNK: Final = 65_536


class LinearModel(NamedTuple):
    """A ridge regression: change = (1, z) @ weights, z the scaled and clipped inputs.

    Attributes:
        shift: shape (inputs,).
        scale: shape (inputs,).
        weights: shape (1 + inputs, h).
    """

    shift: F4
    scale: F4
    weights: F8

    def predict(self, x: F4) -> F8:
        """Change in ticks, shape (n, h)."""
        parts = [
            _design(x[at : at + _CHUNK], self.shift, self.scale) @ self.weights
            for at in range(0, len(x), _CHUNK)
        ]
        out: F8 = np.concatenate(parts)
        return out


def fit_linear(split: Split) -> LinearModel:
    """Fit on the training stretch, the penalty chosen on the selection stretch; h horizons at once.

    Source: Hoerl & Kennard (1970), Ridge Regression, Technometrics 12.
    """
    shift, scale = robust_scale(split.fit.bars.x)
    scale[unseen_cycles(split.fit.bars.end_ns)] = 0.0
    squares, products, count = _moments(split.fit, shift, scale)
    penalised = np.eye(len(squares))
    penalised[0, 0] = 0.0
    models = []
    for penalty in _PENALTIES:
        solved = np.linalg.solve(squares + penalty * count * penalised, products)
        weights: F8 = solved.astype(np.float64)
        models.append(LinearModel(shift, scale, weights))
    losses = [_loss(split.selection, model) for model in models]
    return models[int(np.argmin(losses))]


def imbalance_forecast(split: Split, data: PriceData) -> F8:
    """The sign of the best quotes' imbalance times what followed it in the training stretch, shape (n, h), ticks."""
    at = features.index("imbalance_1")
    sign = np.sign(split.fit.bars.x[:, at].astype(np.float64))
    use = _usable(split.fit)
    slope = (sign[use, None] * split.fit.change[use]).sum(axis=0) / max(np.abs(sign[use]).sum(), 1)
    out: F8 = np.sign(data.bars.x[:, at].astype(np.float64))[:, None] * slope
    return out


def _design(x: F4, shift: F4, scale: F4) -> F8:
    z = np.clip((x - shift) * scale, -CLIP, CLIP).astype(np.float64)
    return np.concatenate([np.ones((len(z), 1)), z], axis=1)


def _usable(data: PriceData) -> NDArray[np.bool_]:
    known = np.isfinite(data.change).all(axis=1)
    usable: NDArray[np.bool_] = known & (data.bars.bars > WARM_BARS)
    return usable


def _moments(data: PriceData, shift: F4, scale: F4) -> tuple[F8, F8, int]:
    """Sums of (1, z) times itself, and times the changes, clipped as the network's targets are."""
    use = np.flatnonzero(_usable(data))
    most = _TARGET_SDS_MAX * np.nanstd(data.change, axis=0)
    size = data.bars.x.shape[1] + 1
    squares, products = np.zeros((size, size)), np.zeros((size, data.change.shape[1]))
    for at in range(0, len(use), _CHUNK):
        rows = use[at : at + _CHUNK]
        z = _design(data.bars.x[rows], shift, scale)
        squares += z.T @ z
        products += z.T @ np.clip(data.change[rows], -most, most)
    return squares, products, len(use)


def _loss(data: PriceData, model: LinearModel) -> float:
    use = _usable(data)
    scale = np.square(data.change[use]).mean(axis=0)
    errors = np.square(data.change[use] - model.predict(data.bars.x[use])).mean(axis=0)
    return float((errors / scale).mean())
