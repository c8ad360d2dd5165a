"""The price predictor as one streaming step in TorchScript: what a torch backend runs, and what network.pt holds.

The step is a function of inputs and state, both of fixed shapes, so that a CUDA graph can hold it. It computes what
mmd.core.learned.lstm computes; both are made from the same weights.
"""

import io
import math
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from mmd.core.learned.lstm import CLIP, WEIGHTS, WINDOW
from mmd.errors import ArtefactError
from mmd.jit.kernel import F4

NETWORK_FILE: Final = "network.pt"
PARITY: Final = 1e-5
"""What the torch and the compiled step may differ by in any output."""
Step = Any
"""A scripted `StreamingStep`; torch's own type of it says nothing about the call."""


class StreamingStep(nn.Module):
    """One bar of b instruments: inputs and state in, outputs and the next state out."""

    shift: Tensor
    scale: Tensor
    w1: Tensor
    u1: Tensor
    b1: Tensor
    w2: Tensor
    u2: Tensor
    b2: Tensor
    wq: Tensor
    bq: Tensor
    wd: Tensor
    bd: Tensor
    wo: Tensor
    bo: Tensor

    def __init__(self, weights: Mapping[str, F4]) -> None:
        """Take weights by the names of mmd.core.learned.lstm.WEIGHTS, shaped (inputs, outputs)."""
        super().__init__()
        for name in WEIGHTS:
            self.register_buffer(name, torch.from_numpy(np.array(weights[name], np.float32)))
        self.window = WINDOW
        self.clip = float(CLIP)
        self.root = math.sqrt(weights["bq"].shape[0])

    @override
    def forward(
        self,
        x: Tensor,
        h1: Tensor,
        c1: Tensor,
        h2: Tensor,
        c2: Tensor,
        past: Tensor,
        seen: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Step once.

        Args:
            x: shape (b, inputs), raw.
            h1: shape (b, hidden); likewise c1, h2, c2.
            c1: first layer's cell.
            h2: second layer's output.
            c2: second layer's cell.
            past: shape (b, WINDOW - 1, hidden), the second layer's last outputs, oldest first.
            seen: shape (b,), how many of them there have been.

        Returns:
            Shape (b, outputs), then the state in the order of the arguments.
        """
        z = ((x - self.shift) * self.scale).clamp(-self.clip, self.clip)
        h1, c1 = self.cell(z @ self.w1 + h1 @ self.u1 + self.b1, c1)
        h2, c2 = self.cell(h1 @ self.w2 + h2 @ self.u2 + self.b2, c2)
        keys = torch.cat([past, h2[:, None]], dim=1)
        query = h2 @ self.wq + self.bq
        scores = (keys @ query[:, :, None])[:, :, 0] / self.root
        at = torch.arange(self.window, device=x.device)
        is_empty = at[None] < self.window - 1 - seen[:, None]
        weights = torch.softmax(scores.masked_fill(is_empty, float("-inf")), dim=1)
        context = (weights[:, None] @ keys)[:, 0]
        hidden = torch.relu(torch.cat([h2, context], dim=1) @ self.wd + self.bd)
        out = hidden @ self.wo + self.bo
        return out, h1, c1, h2, c2, keys[:, 1:], seen + 1

    def cell(self, gates: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """A layer's output and cell from its gates, in the order i, f, g, o."""
        i, f, g, o = gates.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


def scripted_step(weights: Mapping[str, F4]) -> bytes:
    """The content of network.pt for these weights."""
    buffer = io.BytesIO()
    with _without_deprecation():
        step = torch.jit.script(StreamingStep(weights).eval())
        torch.jit.save(step, buffer)
    return buffer.getvalue()


def load_step(content: bytes, device: str = "cpu") -> Step:
    """Read network.pt. Raises: ArtefactError where it is none."""
    try:
        with _without_deprecation():
            step = torch.jit.load(io.BytesIO(content), map_location=device)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ArtefactError(
            f"{NETWORK_FILE} cannot be read: {reason}; take another copy of the model"
        ) from error
    return step.eval()


def zero_state(batch: int, hidden: int, device: str = "cpu") -> tuple[Tensor, ...]:
    """State of `StreamingStep` without a past."""
    cells = tuple(torch.zeros(batch, hidden, device=device) for _ in range(4))
    past = torch.zeros(batch, WINDOW - 1, hidden, device=device)
    return (*cells, past, torch.zeros(batch, dtype=torch.int64, device=device))


@contextmanager
def _without_deprecation() -> Iterator[None]:
    """TorchScript is deprecated and has no successor that runs without a compiler on the host."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*torch.jit", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit", category=FutureWarning)
        yield
