"""Counter-based random numbers as kernels: number n of a stream under a seed, whatever was drawn before.

So a replay explores where the session did, and two policies meet the same market however they act.
"""

import math
from typing import Final

from mmd.jit.kernel import leaf

_MASK: Final = 0xFFFFFFFF
_UNIT: Final = 1.0 / 4294967296.0


@leaf
def mix(x: int) -> int:
    """Scramble 32 bits so that each bit of the result depends on all of them.

    Source: Wellons, "Prospecting for hash functions" (2018), lowbias32.
    """
    x &= _MASK
    x ^= x >> 16
    x = (x * 0x7FEB352D) & _MASK
    x ^= x >> 15
    x = (x * 0x846CA68B) & _MASK
    return x ^ (x >> 16)


@leaf
def stream_key(seed: int, stream: int) -> int:
    """What stands for a stream of a seed; both are counted modulo 2^64."""
    seed, stream = int(seed), int(stream)
    low = mix(mix(seed + 0x9E3779B9) ^ (seed >> 32))
    return mix(mix(low + stream) ^ (stream >> 32) ^ 0x5851F42D)


@leaf
def uniform(key: int, number: int) -> float:
    """Number `number` of a stream, above 0 and below 1."""
    number = int(number)
    return (mix(mix(key + number) ^ (number >> 32) ^ key) + 0.5) * _UNIT


@leaf
def normal(key: int, number: int) -> float:
    """Standard normal number `number` of a stream; takes the uniform ones 2n and 2n + 1 (Box and Muller, 1958)."""
    radius = math.sqrt(-2.0 * math.log(uniform(key, 2 * number)))
    return radius * math.cos(2.0 * math.pi * uniform(key, 2 * number + 1))
