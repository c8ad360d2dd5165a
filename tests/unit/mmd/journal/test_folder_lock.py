"""A journal folder has one daemon."""

import os
from pathlib import Path

import pytest

from mmd.errors import JournalError
from mmd.journal.folder_lock import folder_lock


def test_the_second_is_told_who_has_it_and_a_third_may_have_it_after(tmp_path: Path) -> None:
    """The lock ends with its holder."""
    folder = tmp_path / "journal"
    with folder_lock(folder), pytest.raises(JournalError, match=f"process {os.getpid()}"):
        folder_lock(folder).__enter__()
    with folder_lock(folder):
        pass


def test_a_folder_that_cannot_be_made_names_the_setting(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match=r"journal\.folder"):
        folder_lock(tmp_path / "file/journal").__enter__()
