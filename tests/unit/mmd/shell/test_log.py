"""Structured logs: an event name and keys on standard error."""

import json
import warnings
from collections.abc import Iterator

import pytest
import structlog

from mmd.shell import log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave structlog as other tests expect it."""
    shown = warnings.showwarning
    yield
    warnings.showwarning = shown
    structlog.reset_defaults()


def test_json_lines_carry_event_level_time_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    """One object a line, nothing on standard output."""
    log.configure("info", "json")
    structlog.get_logger().warning("feed_down", venue="v", reason="reset")
    told = capsys.readouterr()
    assert told.out == ""
    row = json.loads(told.err)
    assert row.pop("timestamp").endswith("Z")
    assert row == {"event": "feed_down", "level": "warning", "venue": "v", "reason": "reset"}


@pytest.mark.parametrize(
    ("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)]
)
def test_lower_levels_are_not_printed(
    level: str, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The configured level and what is above it."""
    log.configure(level, "json")
    logger = structlog.get_logger()
    for name in ("debug", "info", "warning", "error"):
        getattr(logger, name)("event")
    assert len(capsys.readouterr().err.splitlines()) == count


def test_auto_is_json_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard error is no terminal here; an exception is one line, too."""
    log.configure("info", "auto")
    structlog.get_logger().error("part_crashed", exc_info=ValueError("told"))
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: told" in json.loads(line)["exception"]


def test_console_is_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """No JSON, no colours outside of a terminal."""
    log.configure("info", "console")
    structlog.get_logger().info("started", session="1f")
    text = capsys.readouterr().err
    assert "started" in text
    assert "session=1f" in text
    assert "\x1b" not in text


def test_a_warning_of_python_is_a_record_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever parses the log meets no free text."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        log.configure("info", "json")
        warnings.warn("disk is slow", RuntimeWarning, stacklevel=1)
    row = json.loads(capsys.readouterr().err)
    assert (row["event"], row["level"]) == ("python_warning", "warning")
    assert (row["message"], row["category"]) == ("disk is slow", "RuntimeWarning")
    assert "test_log.py:" in row["at"]
