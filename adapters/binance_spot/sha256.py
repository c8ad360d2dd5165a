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
def _extended(w: Any, t: int) -> Any:
    """The word of round t, made of those of earlier rounds."""
    a, b = w[t - 15], w[t - 2]
    small_0 = np.uint32(_rotated(a, 7) ^ _rotated(a, 18) ^ (a >> np.uint32(3)))
    small_1 = np.uint32(_rotated(b, 17) ^ _rotated(b, 19) ^ (b >> np.uint32(10)))
    return np.uint32(w[t - 16] + small_0 + w[t - 7] + small_1)


@leaf
def _round(  # noqa: PLR0913, PLR0917 - the eight words of the state
    a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any, k: Any, w: Any
) -> tuple[Any, Any]:
    """One round: what becomes of d and of h; the others only change their names."""
    choice = np.uint32(g ^ (e & (f ^ g)))
    first = np.uint32(h + np.uint32(_rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)))
    first = np.uint32(first + choice + k + w)
    majority = np.uint32((a & b) | (c & (a | b)))
    second = np.uint32(np.uint32(_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)) + majority)
    return np.uint32(d + first), np.uint32(first + second)


@leaf
def compress(state: Any, words: Any, buf: Any, at: int, rounds: int) -> None:
    """Take the 64 bytes at buf[at] into the state; words is room for ROUNDS of them, rounds is ROUNDS.

    Eight rounds at a time, after which every word has its own name again: a fifth faster than moving them. How many
    there are in all is kept from the compiler, which would write them out one by one: 10 kB of code, a third of what
    the processor keeps at hand.
    """
    k = _CONSTANTS
    for t in range(_WORDS):
        i = at + 4 * t
        high = np.uint32(buf[i]) << np.uint32(24) | np.uint32(buf[i + 1]) << np.uint32(16)
        words[t] = high | np.uint32(buf[i + 2]) << np.uint32(8) | np.uint32(buf[i + 3])
    a, b, c, d = np.uint32(state[0]), np.uint32(state[1]), np.uint32(state[2]), np.uint32(state[3])
    e, f, g, h = np.uint32(state[4]), np.uint32(state[5]), np.uint32(state[6]), np.uint32(state[7])
    for t in range(0, rounds, 8):
        if t >= _WORDS:
            for i in range(8):
                words[t + i] = _extended(words, t + i)
        d, h = _round(a, b, c, d, e, f, g, h, k[t], words[t])
        c, g = _round(h, a, b, c, d, e, f, g, k[t + 1], words[t + 1])
        b, f = _round(g, h, a, b, c, d, e, f, k[t + 2], words[t + 2])
        a, e = _round(f, g, h, a, b, c, d, e, k[t + 3], words[t + 3])
        h, d = _round(e, f, g, h, a, b, c, d, k[t + 4], words[t + 4])
        g, c = _round(d, e, f, g, h, a, b, c, k[t + 5], words[t + 5])
        f, b = _round(c, d, e, f, g, h, a, b, k[t + 6], words[t + 6])
        e, a = _round(b, c, d, e, f, g, h, a, k[t + 7], words[t + 7])
    state[0], state[1] = np.uint32(state[0] + a), np.uint32(state[1] + b)
    state[2], state[3] = np.uint32(state[2] + c), np.uint32(state[3] + d)
    state[4], state[5] = np.uint32(state[4] + e), np.uint32(state[5] + f)
    state[6], state[7] = np.uint32(state[6] + g), np.uint32(state[7] + h)
