"""Whole records are found wherever they stand, and nowhere else."""

import crc32c
import pytest

from mmd.journal.format import CHECKED, HEAD, Kind
from mmd.journal.record_search import any_record_from, verifies


def record(body: bytes, sequence: int = 7) -> bytes:
    """A record as it stands in a segment."""
    checked = CHECKED.pack(sequence, int(Kind.EVENT)) + body
    return HEAD.pack(len(body), crc32c.crc32c(checked), sequence, int(Kind.EVENT)) + body


@pytest.mark.parametrize("size", [1, 255, 256, 512, 65_536])
@pytest.mark.parametrize("before", [0, 1, 4_095, 65_519, 65_520, 65_535, 65_536, 200_001])
def test_a_record_is_found_at_any_byte(size: int, before: int) -> None:
    """Behind zeros or ruins, over the edges of what is looked at at once, and where its length begins with a zero."""
    whole = record(b"\x02" * size)
    for filler in (b"\0", b"\x01", b"\xff"):
        data = memoryview(filler * before + whole)
        assert verifies(data, before)
        assert any_record_from(data, 0)
        assert not any_record_from(data, before + 1)
        assert not any_record_from(data[:-1], 0)


def test_what_was_not_written_is_not_found() -> None:
    """A kind that does not exist, an empty body, a body beyond the end."""
    for head in ((1, 0, 1, 9), (0, 0, 1, 3), (1 << 31, 0, 1, 3)):
        assert not any_record_from(memoryview(HEAD.pack(*head) + b"\x01"), 0)
    assert not verifies(memoryview(b"\0" * (HEAD.size - 1)), 0)
