"""A network that is computed elsewhere: inputs go out at the end of a bar, outputs come back as an event of the journal.

So a graphics card, or a thread, takes its time and no decision waits; and a replay, which has the events, needs neither.
"""

from typing import Protocol

import numpy as np

from mmd.core.learned import lstm
from mmd.core.learned.model_run import find_horizon
from mmd.core.learned.prediction import LATE, OK, WARMING_UP
from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.served_model import ServedModel
from mmd.jit.kernel import F4


class PredictionSink(Protocol):
    """Whoever computes; every call returns at once."""

    def submit(self, number: int, x: F4) -> None:
        """Step the network by one bar; x may be used again at once. Numbers count up from 1."""
        ...

    def clear(self) -> None:
        """Forget the past; what was asked before this need not be answered."""
        ...


class RemoteRun:
    """To the predictor a price model like any other, whose outputs kernels do not reach.

    Attributes:
        model: which one.
        asked, answered: numbers of the last bar that went out, and of the last one whose outputs came back.
    """

    outputs_at = 0

    def __init__(
        self, model: ServedModel, horizon_bars: int, sink: PredictionSink | None, late_bars: int
    ) -> None:
        """`sink` is None in a replay. Raises: ArtefactError where the network has no such horizon."""
        at = find_horizon(model, horizon_bars)
        self.model = model
        self.asked = self.answered = 0
        self.change_scale = model.change_scale[at]
        self.volatility_scale = model.volatility_scale[at]
        self._first = at * lstm.PER_HORIZON
        self._out = np.zeros(len(model.horizons) * lstm.PER_HORIZON)
        self._sink = sink
        self._late_bars = max(late_bars, 1)
        self._begun = 0
        """Bars that had gone out when the past was last forgotten."""

    @property
    def status(self) -> int:
        """A PartStatus: LATE where more bars are unanswered than may be."""
        if self.answered - self._begun < WARM_BARS:
            return WARMING_UP
        return LATE if self.asked - self.answered > self._late_bars else OK

    @property
    def outputs(self) -> tuple[float, float, float]:
        """Scaled change, log volatility and logit of a rise at the session's horizon, as they came back last."""
        at = self._first
        return float(self._out[at]), float(self._out[at + 1]), float(self._out[at + 2])

    def change_ticks(self, horizon: int) -> float:
        """Expected change of the mid over the model's horizon of that number."""
        return float(self._out[horizon * lstm.PER_HORIZON]) * self.model.change_scale[horizon]

    def step(self, x: F4) -> None:
        """One bar later: send it out."""
        self.asked += 1
        if self._sink is not None:
            self._sink.submit(self.asked, x)

    def take(self, number: int, outputs: tuple[float, ...]) -> bool:
        """Outputs of a bar have come back; False for those of another past, or of another shape."""
        is_meant = max(self._begun, self.answered) < number <= self.asked
        if not is_meant or len(outputs) != len(self._out):
            return False
        self._out[:] = outputs
        self.answered = number
        return True

    def restart(self) -> None:
        """Forget the past."""
        self._begun = self.answered = self.asked
        if self._sink is not None:
            self._sink.clear()

    def read_through(self) -> None:
        """Nothing of it is here."""
