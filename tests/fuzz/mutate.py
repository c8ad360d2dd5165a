"""Makes wrong messages of right ones: by structure (numbers, names, brackets) and by bytes."""

import random
import re
from collections.abc import Sequence
from typing import Final

_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_STRING = re.compile(rb'"[^"\\]*"')
_TOKENS: Final = (
    b'"', b"{", b"}", b"[", b"]", b",", b":", b"null", b"true", b"-", b".", b"1e308", b"1e-400", b"NaN",
    b"Infinity", b"-0", b"00", b"\\u0000", b"\\", b"\x00", b"\xff\xfe", b"\xf0\x9f\x92\xa9", b"\n", b"[[[[[[[[",
    b'{"a":', b"/*", b" " * 40,
)  # fmt: skip
_NUMBERS: Final = (
    b"0", b"-1", b"1", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
    b"18446744073709551616", b"0.00000001", b"0.000000001", b"99999999999999999999999999999999999999",
    b"1e5", b"1.", b".1", b"2147483648", b"4294967295", b"1.7976931348623157e309", b"0.0", b"-0.0", b"",
)  # fmt: skip


def mutated(seeds: Sequence[bytes], rng: random.Random) -> bytes:
    """One of the seeds with one to four things wrong, most often one."""
    frame = rng.choice(seeds)
    for _ in range(1 + (rng.random() < 0.3) + (rng.random() < 0.1) + (rng.random() < 0.05)):
        frame = rng.choice(_KINDS)(frame, seeds, rng)
    return frame


def _flip(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    if not frame:
        return frame
    at = rng.randrange(len(frame))
    return frame[:at] + bytes((frame[at] ^ 1 << rng.randrange(8),)) + frame[at + 1 :]


def _byte(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(frame) + 1)
    return frame[:at] + bytes((rng.randrange(256),)) + frame[at + (rng.random() < 0.5) :]


def _cut(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    return frame[: rng.randrange(len(frame) + 1)]


def _drop(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(frame) + 1)
    return frame[:at] + frame[at + rng.choice((1, 1, 2, 3, 8, 30)) :]


def _repeat(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(frame) + 1)
    part = frame[at : at + rng.choice((1, 2, 8, 40))]
    return frame[:at] + part * rng.choice((1, 1, 2, 50)) + frame[at:]


def _token(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    at = rng.randrange(len(frame) + 1)
    return frame[:at] + rng.choice(_TOKENS) + frame[at:]


def _splice(frame: bytes, seeds: Sequence[bytes], rng: random.Random) -> bytes:
    other = rng.choice(seeds)
    return frame[: rng.randrange(len(frame) + 1)] + other[rng.randrange(len(other) + 1) :]


def _number(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    return _replace(_NUMBER, frame, rng.choice(_NUMBERS), rng)


def _digit(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    return _replace(re.compile(rb"\d"), frame, str(rng.randrange(10)).encode(), rng)


def _string(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """Another string of the same message in a string's place: names for values, values for names."""
    strings = _STRING.findall(frame)
    return _replace(_STRING, frame, rng.choice(strings) if strings else b'""', rng)


def _literal(frame: bytes, _: Sequence[bytes], rng: random.Random) -> bytes:
    """A value of another type in a string's place."""
    value = rng.choice((b"null", b"true", b"[]", b"{}", b"0", b'""', b'[["1","1"]]'))
    return _replace(_STRING, frame, value, rng)


def _replace(what: re.Pattern[bytes], frame: bytes, by: bytes, rng: random.Random) -> bytes:
    found = list(what.finditer(frame))
    if not found:
        return frame
    match = rng.choice(found)
    return frame[: match.start()] + by + frame[match.end() :]


_KINDS = (
    _flip, _byte, _cut, _drop, _repeat, _token, _splice, _number, _number, _digit, _digit, _string, _literal,
)  # fmt: skip
