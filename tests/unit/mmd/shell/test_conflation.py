"""How many messages share a decision, and the line that says so."""

from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from mmd.shell.conflation import ConflationWatch


def driver(*counts: tuple[int, int]) -> SimpleNamespace:
    """A driver whose makers have seen so many messages with such a lag."""
    makers = [SimpleNamespace(view=SimpleNamespace(messages=m, lag_ns=lag)) for m, lag in counts]
    return SimpleNamespace(decisions=0, engine=SimpleNamespace(makers=makers))


def test_each_look_is_about_what_came_since() -> None:
    """Nothing is said of one message a decision, a line of many, with the worst lag."""
    made = driver((100, 5_000_000), (100, 90_000_000))
    watch = ConflationWatch(made)  # type: ignore[arg-type]
    made.decisions = 200
    with capture_logs() as logs:
        assert watch.look() == pytest.approx(1.0)
    assert logs == []
    made.engine.makers[0].view.messages += 1_000
    made.decisions += 50
    with capture_logs() as logs:
        assert watch.look() == pytest.approx(20.0)
    (line,) = logs
    assert (line["event"], line["messages_per_decision"], line["feed_lag_ms"]) == (
        "conflating",
        20.0,
        90.0,
    )


def test_without_a_decision_there_is_no_ratio() -> None:
    """A daemon that has not begun."""
    assert ConflationWatch(driver()).look() == 0.0  # type: ignore[arg-type]
