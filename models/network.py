"""The price predictor in torch: trained on long sequences with carried state, exported as a streaming step.

The state that is carried is what the compiled step carries (mmd.core.learned.lstm): both layers' h and c, and the
second layer's last outputs, over which attention looks. So training, TorchScript and the daemon compute one thing.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from mmd.core.learned.lstm import CLIP, PER_HORIZON, WINDOW, Shape
from mmd.jit.kernel import F4
from models.price_data import robust_scale


class State(NamedTuple):
    """What is carried from one sample to the next; b sequences at once.

    Attributes:
        h1, c1, h2, c2: shape (b, hidden).
        past: shape (b, WINDOW - 1, hidden), the second layer's last outputs, oldest first.
        seen: shape (b,), how many of them there have been.
    """

    h1: Tensor
    c1: Tensor
    h2: Tensor
    c2: Tensor
    past: Tensor
    seen: Tensor


class Network(nn.Module):
    """Two LSTM layers, attention over the last WINDOW outputs, two dense layers."""

    def __init__(self, shape: Shape, dropout: float = 0.2) -> None:
        """Dropout is between the LSTM layers, in training only."""
        super().__init__()
        self.shape = shape
        n, h = shape.inputs, shape.hidden
        self.register_buffer("shift", torch.zeros(n))
        self.register_buffer("scale", torch.ones(n))
        self.lstm1 = nn.LSTM(n, h, batch_first=True)
        self.lstm2 = nn.LSTM(h, h, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.query = nn.Linear(h, h)
        self.dense = nn.Linear(2 * h, shape.dense)
        self.head = nn.Linear(shape.dense, shape.horizons * PER_HORIZON)

    def begin(self, batch: int) -> State:
        """No past."""
        h = self.shape.hidden
        zeros = torch.zeros(batch, h)
        past = torch.zeros(batch, WINDOW - 1, h)
        return State(
            zeros, zeros.clone(), zeros.clone(), zeros.clone(), past, torch.zeros(batch).long()
        )

    @override
    def forward(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Outputs for a chunk of samples.

        Args:
            x: shape (b, t, inputs), raw.
            state: as the chunk before left it.

        Returns:
            Shape (b, t, horizons, PER_HORIZON), and the state after the chunk.
        """
        shift, scale = self.get_buffer("shift"), self.get_buffer("scale")
        z = ((x - shift) * scale).clamp(-float(CLIP), float(CLIP))
        one, (h1, c1) = self.lstm1(z, (state.h1[None], state.c1[None]))
        two, (h2, c2) = self.lstm2(self.dropout(one), (state.h2[None], state.c2[None]))
        keys = torch.cat([state.past, two], dim=1)
        context = self._attend(two, keys, state.seen)
        hidden = torch.relu(self.dense(torch.cat([two, context], dim=2)))
        out = self.head(hidden).unflatten(2, (self.shape.horizons, PER_HORIZON))
        seen = state.seen + x.shape[1]
        return out, State(h1[0], c1[0], h2[0], c2[0], keys[:, 1 - WINDOW :], seen)

    def _attend(self, two: Tensor, keys: Tensor, seen: Tensor) -> Tensor:
        """Each output's mean over itself and the WINDOW - 1 before it, weighted by likeness to its query.

        All pairs of a chunk are multiplied and those outside the window masked, which beats gathering windows.
        """
        at = torch.arange(two.shape[1])[:, None]
        key = torch.arange(keys.shape[1])[None, :]
        is_outside = (key < at) | (key > at + WINDOW - 1)
        is_empty = key[None] < WINDOW - 1 - seen[:, None, None]
        scores = self.query(two) @ keys.transpose(1, 2) / math.sqrt(two.shape[2])
        weights = torch.softmax(scores.masked_fill(is_outside | is_empty, -math.inf), dim=2)
        return weights @ keys

    def normalise_by(self, x: F4, unheard: Sequence[int] = ()) -> None:
        """Take the normaliser from training samples, shape (n, inputs); the unheard inputs count as 0 for ever."""
        shift, scale = robust_scale(x)
        scale[list(unheard)] = 0.0
        self.get_buffer("shift").copy_(torch.from_numpy(shift))
        self.get_buffer("scale").copy_(torch.from_numpy(scale))

    def weights(self) -> dict[str, F4]:
        """What the compiled step needs, by the names of mmd.core.learned.lstm.WEIGHTS."""
        learned = dict(self.named_parameters())

        def of(layer: int, name: str) -> Tensor:
            return learned[f"lstm{layer}.{name}_l0"]

        tensors = {
            "shift": self.get_buffer("shift"),
            "scale": self.get_buffer("scale"),
            "w1": of(1, "weight_ih").T,
            "u1": of(1, "weight_hh").T,
            "b1": of(1, "bias_ih") + of(1, "bias_hh"),
            "w2": of(2, "weight_ih").T,
            "u2": of(2, "weight_hh").T,
            "b2": of(2, "bias_ih") + of(2, "bias_hh"),
            "wq": self.query.weight.T,
            "bq": self.query.bias,
            "wd": self.dense.weight.T,
            "bd": self.dense.bias,
            "wo": self.head.weight.T,
            "bo": self.head.bias,
        }
        return {
            name: np.ascontiguousarray(t.detach().numpy(), np.float32)
            for name, t in tensors.items()
        }
