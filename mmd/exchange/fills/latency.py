"""How long messages take: a channel that keeps their order, with constant, sampled or load-dependent delays.

A message that leaves at t arrives at max(t + delay, previous arrival + service): the delay is the next of a
ring of samples, and service is what each message occupies the channel for, so that bursts queue up.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, kernel, layout, leaf, new

SAMPLES_MAX: Final = 4096

LATENCY = layout(
    ("n", "i8"),
    ("at", "i8"),
    ("service_ns", "i8"),
    ("last_ns", "i8"),  # when the last message arrived
    ("sample_ns", "i8", (SAMPLES_MAX,)),
)


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """One channel's delays.

    With more than one sample the delays are drawn from them at random, seeded; service_ns above 0 makes them
    depend on the load.
    """

    sample_ns: tuple[int, ...] = (0,)
    service_ns: int = 0


def constant(delay_ns: int) -> Latency:
    """The same delay for every message."""
    return Latency(sample_ns=(delay_ns,))


def empirical(measured_ns: Sequence[int]) -> Latency:
    """Delays as they were measured, drawn independently."""
    return Latency(sample_ns=tuple(measured_ns))


def load_dependent(delay_ns: int, service_ns: int) -> Latency:
    """A delay, and a queue in which each message takes service_ns."""
    return Latency(sample_ns=(delay_ns,), service_ns=service_ns)


def new_latency(latency: Latency, rng: np.random.Generator) -> Rec:
    """A LATENCY record; rng draws the ring of samples where there is more than one.

    Raises:
        ConfigError: There is no sample, or a time is negative.
    """
    measured: npt.NDArray[np.int64] = np.array(latency.sample_ns, np.int64)
    if len(measured) == 0 or measured.min() < 0 or latency.service_ns < 0:
        raise ConfigError(
            f"latency: expected delays of 0 ns or more, found {latency.sample_ns[:3]} and service {latency.service_ns}"
        )
    record = new(LATENCY)
    record["service_ns"] = latency.service_ns
    record["n"] = 1 if len(measured) == 1 else SAMPLES_MAX
    record["sample_ns"][0] = rng.choice(measured, SAMPLES_MAX)
    return record


@leaf
def arrival_ns(c: Rec, sent_ns: int) -> int:
    """When a message that is sent now arrives; never before one that was sent earlier."""
    delay_ns = c.sample_ns[c.at]
    c.at = c.at + 1 if c.at + 1 < c.n else 0
    c.last_ns = max(sent_ns + delay_ns, c.last_ns + c.service_ns)
    return int(c.last_ns)


@kernel
def arrive(latency: Rec, sent_ns: int) -> int:
    """`arrival_ns` to be called from Python."""
    return arrival_ns(latency[0], sent_ns)
