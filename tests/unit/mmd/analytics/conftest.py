"""One recorded session for all tests that only read it."""

from pathlib import Path

import pytest

from tests.unit.mmd.analytics.tracks import RecordedSession


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal folder's place."""
    return tmp_path_factory.mktemp("journal") / "20260101T000000-1"


@pytest.fixture(scope="session")
def recorded(session_folder: Path) -> RecordedSession:
    """Three minutes of trading."""
    return RecordedSession(session_folder, 180)
