"""Looks for records that verify behind a place that does not: whether a journal ends there, or is damaged."""

from collections.abc import Iterator
from typing import Final

import crc32c
import numpy as np

from mmd.journal.format import BODY_MAX, CHECKED_FROM, HEAD, Kind

KINDS: Final = {int(kind): kind for kind in Kind}
"""By the number that stands for it: what Kind(number) says, without a call through its metaclass."""
_CHUNK: Final = 1 << 16
_KIND_AT: Final = HEAD.size - 1
_LENGTH_BYTES: Final = 4


def verifies(data: memoryview, at: int) -> bool:
    """Whether a whole record that was written begins at a place."""
    if at + HEAD.size > len(data):
        return False
    length, checksum, _, kind = HEAD.unpack_from(data, at)
    return is_whole(data, at, length, checksum, kind)


def is_whole(data: memoryview, at: int, length: int, checksum: int, kind: int) -> bool:
    """The same of a place whose head was read, and says this."""
    end = at + HEAD.size + length
    return (
        0 < length <= BODY_MAX
        and kind in KINDS
        and end <= len(data)
        and crc32c.crc32c(data[at + CHECKED_FROM : end]) == checksum
    )


def any_record_from(data: memoryview, at: int) -> bool:
    """Whether such a record begins there or anywhere behind it, at whatever byte."""
    return any(verifies(data, place) for place in _plausible(data, at))


def _plausible(data: memoryview, at: int) -> Iterator[int]:
    """Places from which a head could be read: its length fits in and its kind exists. Zero fill has none."""
    whole = np.frombuffer(data, np.uint8)
    while at + HEAD.size <= len(whole):
        part = whole[at : at + _CHUNK + HEAD.size - 1]
        if part.any():
            heads = len(part) - HEAD.size + 1
            length = np.zeros(heads, np.int64)
            for k in range(_LENGTH_BYTES):
                length |= part[k : k + heads].astype(np.int64) << 8 * k
            kind = part[_KIND_AT : _KIND_AT + heads]
            room = len(whole) - HEAD.size - np.arange(at, at + heads)
            fits = (length > 0) & (length <= np.minimum(room, BODY_MAX))
            yield from (at + np.flatnonzero(fits & np.isin(kind, list(KINDS)))).tolist()
        at += _CHUNK
