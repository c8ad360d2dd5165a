"""SHA-256 for kernels: one block into a state of eight words.

Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5.3.3 and 6.2.2.
"""

from math import isqrt
from typing import Any, Final

import numpy as np

from mmd.jit.kernel import leaf

BLOCK: Final = 64
ROUNDS: Final = 64
_WORDS: Final = 16
_MASK = 0xFFFFFFFF


def _primes(count: int) -> list[int]:
    found: list[int] = []
    n = 2
    while len(found) < count:
        if all(n % p for p in found):
            found.append(n)
        n += 1
    return found


def _cube_root(n: int) -> int:
    """The largest integer whose cube is no more than n."""
    low, high = 0, n
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= n else (low, middle - 1)
    return low


_CONSTANTS = np.array([_cube_root(p << 96) & _MASK for p in _primes(ROUNDS)], np.uint32)
"""The first 32 bits of what follows the point in the cube roots of the first 64 primes."""
INITIAL = np.array([isqrt(p << 64) & _MASK for p in _primes(8)], np.uint32)
"""The same of the square roots of the first eight: the state before the first block."""


@leaf
def _rotated(x: Any, n: int) -> Any:
    """A word rotated to the right."""
    return np.uint32(np.uint32(x >> np.uint32(n)) | np.uint32(x << np.uint32(32 - n)))


@leaf
def _spread(words: Any, buf: Any, at: int) -> None:
    """The words of the block at buf[at], and what they are extended to for the rounds."""
    for t in range(_WORDS):
        i = at + 4 * t
        high = np.uint32(buf[i]) << np.uint32(24) | np.uint32(buf[i + 1]) << np.uint32(16)
        words[t] = high | np.uint32(buf[i + 2]) << np.uint32(8) | np.uint32(buf[i + 3])
    for t in range(_WORDS, ROUNDS):
        a, b = words[t - 15], words[t - 2]
        small_0 = np.uint32(_rotated(a, 7) ^ _rotated(a, 18) ^ (a >> np.uint32(3)))
        small_1 = np.uint32(_rotated(b, 17) ^ _rotated(b, 19) ^ (b >> np.uint32(10)))
        words[t] = np.uint32(words[t - 16] + small_0 + words[t - 7] + small_1)


@leaf
def compress(state: Any, words: Any, buf: Any, at: int) -> None:
    """Take the 64 bytes at buf[at] into the state; words is room for ROUNDS of them."""
    _spread(words, buf, at)
    a, b, c, d = (
        np.uint32(state[0]),
        np.uint32(state[1]),
        np.uint32(state[2]),
        np.uint32(state[3]),
    )
    e, f, g, h = (
        np.uint32(state[4]),
        np.uint32(state[5]),
        np.uint32(state[6]),
        np.uint32(state[7]),
    )
    for t in range(ROUNDS):
        big_1 = np.uint32(_rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25))
        choice = np.uint32(g ^ (e & (f ^ g)))
        first = np.uint32(h + big_1 + choice + _CONSTANTS[t] + words[t])
        big_0 = np.uint32(_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22))
        second = np.uint32(big_0 + np.uint32((a & b) | (c & (a | b))))
        h, g, f, e = g, f, e, np.uint32(d + first)
        d, c, b, a = c, b, a, np.uint32(first + second)
    state[0], state[1] = np.uint32(state[0] + a), np.uint32(state[1] + b)
    state[2], state[3] = np.uint32(state[2] + c), np.uint32(state[3] + d)
    state[4], state[5] = np.uint32(state[4] + e), np.uint32(state[5] + f)
    state[6], state[7] = np.uint32(state[6] + g), np.uint32(state[7] + h)
