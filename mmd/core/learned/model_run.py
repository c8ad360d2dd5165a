"""One model at work on one instrument: its record, its kernels, and what it said last."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmd.core.learned import forest, lstm
from mmd.core.learned.prediction import NO_MODEL, NOT_FINITE, OK, WARMING_UP
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.schema import N
from mmd.core.learned.served_model import ServedModel
from mmd.errors import ArtefactError
from mmd.jit.kernel import F4, Rec, bind, kernel

OUTPUTS = np.dtype([("change", "f4"), ("log_volatility", "f4"), ("logit", "f4")])
"""What a network says of one horizon, as it stands in its record."""
assert OUTPUTS.itemsize == 4 * lstm.PER_HORIZON, "expected the outputs side by side"


class PriceRun:
    """A network that is stepped once a bar.

    Attributes:
        model: which one.
        status: of the last step, a PartStatus.
        steps: since its state was cleared.
        outputs_at: address of the OUTPUTS of its horizons.
    """

    def __init__(self, model: ServedModel, horizon_bars: int) -> None:
        """Raises: ArtefactError where the network is for other inputs or has no such horizon."""
        self.model = model
        self.status = NO_MODEL
        self.steps = 0
        self._network = _network(model)
        self._lines = _lines_of(self._network)
        at = find_horizon(model, horizon_bars)
        self.change_scale = model.change_scale[at]
        self.volatility_scale = model.volatility_scale[at]
        self._first = at * lstm.PER_HORIZON
        self._out = memoryview(self._network["out"][0])
        self.outputs_at: int = self._network["out"].ctypes.data
        self.said_at = self.outputs_at + 4 * self._first
        """Address of the OUTPUTS at the session's horizon."""
        self._step = partial(bind(lstm.step, self._network, np.zeros(N, np.float32)), self._network)

    @property
    def outputs(self) -> tuple[float, float, float]:
        """Scaled change, log volatility and logit of a rise at the session's horizon."""
        at = self._first
        return self._out[at], self._out[at + 1], self._out[at + 2]

    def change_ticks(self, horizon: int) -> float:
        """Expected change of the mid over the model's horizon of that number."""
        return float(self._out[horizon * lstm.PER_HORIZON]) * self.model.change_scale[horizon]

    def step(self, x: F4) -> None:
        """One bar later; a network that met what is no number begins anew, for its state is none either."""
        if self._step(x) != lstm.OK:
            self.restart()
            self.status = NOT_FINITE
            return
        self.steps += 1
        self.status = OK if self.steps >= WARM_BARS else WARMING_UP

    def read_through(self) -> None:
        """Read the network and change nothing."""
        self._lines.max()

    def restart(self) -> None:
        """Forget the past."""
        lstm.clear(self._network)
        self.steps = 0
        self.status = WARMING_UP


def find_horizon(model: ServedModel, horizon_bars: int) -> int:
    """Which of a network's horizons that is. Raises: ArtefactError where it has none such."""
    if horizon_bars not in model.horizons:
        raise ArtefactError(
            f"model {model.id} predicts {', '.join(map(str, model.horizons))} bars ahead, expected {horizon_bars}: "
            "change models.horizon_bars or train one"
        )
    return model.horizons.index(horizon_bars)


@kernel
def walk(trees: Rec, x: F4) -> None:
    """Have the trees say what they make of a bar's inputs: out and status."""
    t = trees[0]
    for i in range(N):
        t.x[i] = x[i]
    t.status = OK if forest.predict(trees) == forest.OK else NOT_FINITE


class SpreadRun:
    """A forest that is walked once a bar.

    Attributes:
        model: which one.
        record: FOREST.
    """

    def __init__(self, model: ServedModel) -> None:
        """Raises: ArtefactError where arrays are missing or too large."""
        self.model = model
        try:
            self.record: Rec = forest.new_forest(model.weights)
        except (KeyError, ValueError) as error:
            raise ArtefactError(f"model {model.id} is no forest that fits: {error}") from error
        self._lines = _lines_of(self.record)
        self._out = memoryview(self.record["out"])
        self._status = memoryview(self.record["status"])
        self.status = NO_MODEL
        walked = self.record, np.zeros(N, np.float32)
        self._walk = partial(bind(walk, *walked), self.record)

    @property
    def status(self) -> int:
        """Of the last walk, a PartStatus."""
        return self._status[0]

    @status.setter
    def status(self, status: int) -> None:
        self._status[0] = status

    @property
    def half_spread_bps(self) -> float:
        """What it said last."""
        return self._out[0]

    def step(self, x: F4) -> None:
        """One bar later."""
        self._walk(x)

    def read_through(self) -> None:
        """Read the trees and change nothing."""
        self._lines.max()


def _lines_of(record: Rec) -> NDArray[np.int64]:
    """A view of one number of each cache line of a record."""
    octets = record.view(np.uint8)
    lines: NDArray[np.int64] = octets[: len(octets) // 8 * 8].view(np.int64)[::8]
    return lines


def _network(model: ServedModel) -> Any:
    try:
        weights: Any = model.weights
        shape = lstm.shape_of(weights)
        if (
            shape.inputs != N
            or not len(model.change_scale) == len(model.horizons) == shape.horizons
        ):
            raise ValueError(f"it has {shape.inputs} inputs and {shape.horizons} horizons")  # noqa: TRY301
        return lstm.new_network(weights)
    except (KeyError, ValueError) as error:
        raise ArtefactError(f"model {model.id} is no network that fits: {error}") from error
