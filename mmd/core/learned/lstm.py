"""The price predictor as a stream: two LSTM layers, attention over the last outputs, two dense layers, one step a bar.

The network is stepped once for each sample and carries its state, so that a prediction costs microseconds and not
a whole window. It is trained the same way (models.network); the two agree to 1e-5.
"""

import functools
import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from mmd.core.learned.elementary import exp32, is_finite, sigmoid32, tanh32
from mmd.jit.kernel import F4, Rec, kernel, layout, leaf, new

OK, NOT_FINITE = 0, 1
WINDOW: Final = 100
CLIP: Final = np.float32(6.0)
"""Normalised inputs are held within this many standard deviations."""
CHANGE_CLIP: Final = 8.0
"""Changes that a network learns from are held within this many of their scale."""
VOLATILITY_FLOOR: Final = 0.05
"""Added to a volatility in units of its scale before the logarithm is taken."""
CHANGE, LOG_VOLATILITY, DIRECTION = 0, 1, 2
PER_HORIZON: Final = 3
"""Outputs for each horizon: change of the mid in units of its own scale, log of its absolute size, logit of a rise."""
_f = np.float32


class Shape(NamedTuple):
    """What a network's record is laid out by."""

    inputs: int
    hidden: int
    dense: int
    horizons: int


WEIGHTS: Final = (
    "shift", "scale",
    "w1", "u1", "b1",
    "w2", "u2", "b2",
    "wq", "bq",
    "wd", "bd",
    "wo", "bo",
)  # fmt: skip
"""What is learned, and the normaliser; the rest of the record is state."""


@functools.cache  # numba looks dtypes up by identity first: one object per shape
def network_layout(shape: Shape) -> np.dtype[np.void]:
    """Record of a network of this shape; matrices are (inputs, outputs), gates in the order i, f, g, o."""
    n, h, d, out = shape.inputs, shape.hidden, shape.dense, shape.horizons * PER_HORIZON
    return layout(
        ("at", "i8"),  # where the ring takes the next output
        ("steps", "i8"),  # since the state was cleared
        ("z", "f4", (n,)),
        ("h1", "f4", (h,)),
        ("c1", "f4", (h,)),
        ("h2", "f4", (h,)),
        ("c2", "f4", (h,)),
        ("gates", "f4", (4 * h,)),
        ("query", "f4", (h,)),
        ("context", "f4", (h,)),
        ("score", "f4", (WINDOW,)),
        ("hidden", "f4", (d,)),
        ("out", "f4", (out,)),
        ("ring", "f4", (WINDOW, h)),
        ("keys", "f4", (h, WINDOW)),  # the ring again, transposed: scores are sums of its rows
        ("shift", "f4", (n,)),
        ("scale", "f4", (n,)),  # one over the standard deviation
        ("w1", "f4", (n, 4 * h)),
        ("u1", "f4", (h, 4 * h)),
        ("b1", "f4", (4 * h,)),
        ("w2", "f4", (h, 4 * h)),
        ("u2", "f4", (h, 4 * h)),
        ("b2", "f4", (4 * h,)),
        ("wq", "f4", (h, h)),
        ("bq", "f4", (h,)),
        ("wd", "f4", (2 * h, d)),
        ("bd", "f4", (d,)),
        ("wo", "f4", (d, out)),
        ("bo", "f4", (out,)),
    )


def shape_of(weights: Mapping[str, F4]) -> Shape:
    """The shape that weights are for. Raises: KeyError, ValueError where they do not fit together."""
    inputs, gates = weights["w1"].shape
    dense, outputs = weights["wo"].shape
    shape = Shape(inputs, gates // 4, dense, outputs // PER_HORIZON)
    expected = network_layout(shape)
    for name in WEIGHTS:
        if weights[name].shape != expected[name].shape:
            raise ValueError(
                f"weight {name} has shape {weights[name].shape}, expected {expected[name].shape}: train it again"
            )
    return shape


def new_network(weights: Mapping[str, F4]) -> Rec:
    """A network's record with these weights and no past."""
    network = new(network_layout(shape_of(weights)))
    for name in WEIGHTS:
        network[name][0] = weights[name]
    return network


def clear(network: Rec) -> None:
    """Forget the past, as after a gap in the feed."""
    for name in ("at", "steps", "h1", "c1", "h2", "c2", "ring", "keys", "out"):
        network[name] = 0


@kernel
def add_rows(out: F4, x: F4, n: int, w: F4) -> None:
    """Add x[:n] @ w[:n] to out, four rows at a time."""
    whole = n - n % 4
    for i in range(0, whole, 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(out.shape[0]):
            out[j] += (a * w[i, j] + b * w[i + 1, j]) + (c * w[i + 2, j] + d * w[i + 3, j])
    for i in range(whole, n):
        a = x[i]
        for j in range(out.shape[0]):
            out[j] += a * w[i, j]


@leaf
def _copy(out: F4, x: F4) -> None:
    for j in range(out.shape[0]):
        out[j] = x[j]


@leaf
def _cell(gates: F4, h: F4, c: F4) -> None:
    """Bring a layer's state up to date from its four gates."""
    n = h.shape[0]
    for j in range(n):
        cell = sigmoid32(gates[n + j]) * c[j] + sigmoid32(gates[j]) * tanh32(gates[2 * n + j])
        c[j] = cell
        h[j] = sigmoid32(gates[3 * n + j]) * tanh32(cell)


@kernel
def _normalise(network: Rec, x: F4) -> int:
    """Write z from raw inputs; returns OK or NOT_FINITE."""
    s = network[0]
    for i in range(s.z.shape[0]):
        z = _f((_f(x[i]) - s.shift[i]) * s.scale[i])
        if not is_finite(z):
            return NOT_FINITE
        s.z[i] = min(max(z, -CLIP), CLIP)
    return OK


@kernel
def _attend(network: Rec) -> None:
    """Write the context: the ring's outputs weighted by how well they match the query of the last one."""
    s = network[0]
    h, n = s.h2.shape[0], min(s.steps, WINDOW)
    scale = _f(1.0 / math.sqrt(h))
    top = _f(-1e30)
    for t in range(WINDOW):
        s.score[t] = _f(0.0)
    add_rows(s.score, s.query, h, s.keys)
    for t in range(n):
        s.score[t] *= scale
        top = max(top, s.score[t])
    total = _f(0.0)
    for t in range(n):
        s.score[t] = exp32(s.score[t] - top)
    for t in range(n):
        total += s.score[t]
    for j in range(h):
        s.context[j] = _f(0.0)
    add_rows(s.context, s.score, n, s.ring)
    for j in range(h):
        s.context[j] /= total


@kernel
def step(network: Rec, x: F4) -> int:
    """One bar later: write out from the state and the raw inputs x.

    Args:
        network: record of `new_network`.
        x: shape (inputs,), as of the bar's end.

    Returns:
        OK, or NOT_FINITE where an input or an output is not: then nothing may be made of out.
    """
    s = network[0]
    if _normalise(network, x) != OK:
        return NOT_FINITE
    h = s.h2.shape[0]
    _copy(s.gates, s.b1)
    add_rows(s.gates, s.z, s.z.shape[0], s.w1)
    add_rows(s.gates, s.h1, h, s.u1)
    _cell(s.gates, s.h1, s.c1)
    _copy(s.gates, s.b2)
    add_rows(s.gates, s.h1, h, s.w2)
    add_rows(s.gates, s.h2, h, s.u2)
    _cell(s.gates, s.h2, s.c2)
    for j in range(h):
        s.ring[s.at, j] = s.keys[j, s.at] = s.h2[j]
    s.at = s.at + 1 if s.at + 1 < WINDOW else 0
    s.steps += 1
    _copy(s.query, s.bq)
    add_rows(s.query, s.h2, h, s.wq)
    _attend(network)
    _copy(s.hidden, s.bd)
    add_rows(s.hidden, s.h2, h, s.wd[:h])
    add_rows(s.hidden, s.context, h, s.wd[h:])
    for j in range(s.hidden.shape[0]):
        s.hidden[j] = max(s.hidden[j], _f(0.0))
    _copy(s.out, s.bo)
    add_rows(s.out, s.hidden, s.hidden.shape[0], s.wo)
    for k in range(s.out.shape[0]):
        if not is_finite(s.out[k]):
            return NOT_FINITE
    return OK
