"""Numbers as the venue writes nearly all of them, eight bytes at a time: up to seven digits, a point, eight places.

A loop over digits ends where the number does, which the processor cannot foresee: of a frame that it has not seen
before, it guesses wrong at most numbers. Here the only thing to be foreseen is that a number has as many digits
before its point as the one before it.
Source: Lemire, "Quickly parsing eight digits" (2018), for `_eight_digits` and `_are_digits`.
"""

from typing import Any, Final

import numpy as np

from mmd.jit.kernel import leaf

ODD: Final = -1
PLACES: Final = 8
_DIGITS_MAX: Final = 7
_ONE: Final = 10**PLACES
_QUOTE, _DOT = 34, 46
_ZEROS = np.uint64(0x3030303030303030)
_HIGH = np.uint64(0xF0F0F0F0F0F0F0F0)
_SIX = np.uint64(0x0606060606060606)
_PAIRS = np.uint64(0x000000FF000000FF)
_MILLIONS = np.uint64(100 + (1_000_000 << 32))
_HUNDREDS = np.uint64(1 + (10_000 << 32))


@leaf
def _word(buf: Any, i: int) -> Any:
    """The eight bytes at buf[i], the first lowest; the compiler makes one load of it."""
    at = np.uint64(i)  # unsigned: no wraparound check per byte
    word = np.uint64(buf[at])
    for k in range(1, 8):
        word |= np.uint64(buf[at + np.uint64(k)]) << np.uint64(8 * k)
    return word


@leaf
def _are_digits(word: Any) -> bool:
    """Whether eight bytes are digits."""
    return bool((word & _HIGH) == _ZEROS and ((word + _SIX) & _HIGH) == _ZEROS)


@leaf
def _eight_digits(word: Any) -> int:
    """The number that eight digits are."""
    word = word - _ZEROS
    word = word * np.uint64(10) + (word >> np.uint64(8))
    low, high = word & _PAIRS, (word >> np.uint64(16)) & _PAIRS
    word = (low * _MILLIONS + high * _HUNDREDS) >> np.uint64(32)
    number: Any = np.int64(word)
    return number  # type: ignore[no-any-return]


@leaf
def digits_at(buf: Any, i: int, digits: int) -> int:
    """How many digits stand before the point of the number at buf[i], tried first with a guess; 0 if too many."""
    if buf[i + digits] == _DOT:
        return digits
    for n in range(1, _DIGITS_MAX + 1):
        if buf[i + n] == _DOT:
            return n
    return 0


@leaf
def plain_number(buf: Any, i: int, digits: int, unit: int, per_unit: float) -> tuple[int, int]:
    """A quoted number whose first digit is at buf[i], in units; and the index after its closing quote or ODD.

    `digits` is what `digits_at` says of it, `unit` is counted in 10**-PLACES and per_unit its inverse. ODD also where the
    number is no whole multiple of the unit.
    """
    point = i + digits
    if digits == 0 or buf[point + PLACES + 1] != _QUOTE:
        return 0, ODD
    fill = np.uint64(8 * digits)
    whole = _word(buf, i) << (np.uint64(64) - fill) | (_ZEROS >> fill)
    places = _word(buf, point + 1)
    if not (_are_digits(whole) and _are_digits(places)):
        return 0, ODD
    value = _eight_digits(whole) * _ONE + _eight_digits(places)
    units: Any = np.int64(
        value * per_unit + 0.5
    )  # exact or refused below: no division, which is slow
    if units * unit != value:
        return 0, ODD
    return units, point + PLACES + 2
