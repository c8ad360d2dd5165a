"""Replays of recorded sessions with the models that they quoted with."""

from pathlib import Path

from mmd.journal.replay import ReplayResult, replay
from models.serving import models_of


def replayed(session: Path) -> ReplayResult:
    """The session once more, its models out of its own registry, or those that are shipped."""
    return replay(session, models=models_of(session))
