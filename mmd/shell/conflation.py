"""Says when more market data comes than is decided upon one by one: the engine conflates, and people should know."""

import structlog

from mmd.shell.driver import Driver

FRAMES_PER_DECISION_MAX = 4.0
"""Above it several instruments or a slow moment share each decision."""
_log = structlog.get_logger()


class ConflationWatch:
    """Looks at what was applied and decided since it looked last."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._messages = self._decisions = 0

    def look(self) -> float:
        """Messages per decision since the last look; a log line where there were many."""
        makers, decisions = self._driver.engine.makers, self._driver.decisions
        messages = sum(maker.view.messages for maker in makers)
        applied, decided = messages - self._messages, decisions - self._decisions
        self._messages, self._decisions = messages, decisions
        ratio = applied / decided if decided > 0 else 0.0
        if ratio > FRAMES_PER_DECISION_MAX:
            lag_ns = max((m.view.lag_ns for m in makers if m.view.lag_ns is not None), default=0)
            _log.warning(
                "conflating",
                messages=applied,
                decisions=decided,
                messages_per_decision=round(ratio, 1),
                feed_lag_ms=round(lag_ns / 1e6, 1),
            )
        return ratio
