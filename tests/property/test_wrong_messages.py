"""Two thousand wrong messages for every decoder; `make fuzz` has a million."""

from collections import Counter
from pathlib import Path

import pytest

from tests.fuzz.__main__ import CHUNK, TARGETS, fuzz


@pytest.mark.parametrize("make", TARGETS, ids=lambda make: make.name)
def test_wrong_messages_are_refused_or_read_right(make, tmp_path: Path) -> None:
    """A typed error or what stands there: no crash, no hang, no wrong book; and some of each are seen."""
    target, seen = make(), Counter()
    try:
        fuzz(target, range(1), 1, tmp_path, lambda _, counts: seen.update(counts))
    finally:
        if hasattr(target, "close"):
            target.close()
    assert sum(seen.values()) == CHUNK
    assert seen["refused"] > CHUNK // 20
    assert seen["read"] + seen["done"] > CHUNK // 50
