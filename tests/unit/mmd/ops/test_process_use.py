"""What the process takes: numbers that move with what it does."""

import gc
from pathlib import Path

from mmd.ops.process_use import ProcessUse


def test_collections_are_timed_between_begin_and_end(tmp_path: Path) -> None:
    """One pause for each, and none outside."""
    use = ProcessUse(tmp_path)
    gc.collect()
    with use.watching():
        gc.collect()
        gc.collect()
    gc.collect()
    pauses = use.state().collections
    assert pauses.cumulative[-1] >= 2
    assert pauses.total_s > 0.0


def test_the_machine_is_read(tmp_path: Path) -> None:
    """Memory, files and processor grow with what is used."""
    use = ProcessUse(tmp_path)
    before = use.state()
    assert before.memory_bytes is not None
    assert before.open_files is not None
    block = b"x" * 50_000_000
    with (tmp_path / "a").open("wb"):
        after = use.state()
    assert after.memory_bytes is not None
    assert after.memory_bytes - before.memory_bytes > 0.8 * len(block)
    assert after.open_files == before.open_files + 1
    assert after.cpu_s >= before.cpu_s
    assert after.journal_free_bytes is not None
    assert after.journal_free_bytes > 0


def test_a_disk_that_is_gone_is_unknown(tmp_path: Path) -> None:
    """Never an error."""
    assert ProcessUse(tmp_path / "gone").state().journal_free_bytes is None
