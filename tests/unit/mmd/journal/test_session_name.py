"""Numbers and names of sessions sort in their order, whatever the wall clock does."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.units import NANOS_PER_SECOND
from mmd.journal.session_name import next_session, session_name

NOW_S = 1_795_379_400


def _begun(folder: Path, now_s: int) -> str:
    """Begin a session; returns its name."""
    name = session_name(next_session(folder, now_s * NANOS_PER_SECOND))
    (folder / name).mkdir()
    return name


def test_a_session_is_named_by_its_start(tmp_path: Path) -> None:
    """In UTC, with its number; folders of another kind do not matter."""
    (tmp_path / "99991231T235959-notes").mkdir()
    assert _begun(tmp_path, NOW_S) == "20261122T203000-0cf76fc8"


def test_a_session_comes_behind_one_that_began_later_by_the_clock(tmp_path: Path) -> None:
    """The clock was set back by ninety seconds, and a third session begins in the very second of the second."""
    names = [_begun(tmp_path, s) for s in (NOW_S, NOW_S - 90, NOW_S - 90)]
    assert [n[:15] for n in names] == ["20261122T203000", "20261122T203001", "20261122T203002"]


@given(st.lists(st.integers(_2021 := 1_609_459_200, _2021 + 2**30), max_size=6))
def test_names_always_sort_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, starts_s: list[int]
) -> None:
    """Wherever the clock jumps between starts; and no two have a number in common."""
    folder = tmp_path_factory.mktemp("journal")
    names = [_begun(folder, started_s) for started_s in starts_s]
    assert names == sorted(set(names))
