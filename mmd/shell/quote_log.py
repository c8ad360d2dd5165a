"""A log line for each change of a quote state and each notice, a moment after it: the core does not log."""

import asyncio

import structlog

from mmd.core.engine import Engine

PERIOD_S = 0.2
_log = structlog.get_logger()


class QuoteLog:
    """Knows what has been written; at most the last 256 of an instrument, and notices, in one period are."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._written = [0] * len(engine.makers)
        self._noticed = 0

    def write(self) -> None:
        """Log what is new."""
        for at, maker in enumerate(self._engine.makers):
            changes = maker.quote_changes
            if changes.total == self._written[at]:
                continue
            for change in changes.since(self._written[at]):
                _log.info(
                    "quote_state",
                    instrument=maker.instrument.symbol,
                    before=change.before.name.lower(),
                    after=change.after.name.lower(),
                    reason=change.reason.name.lower(),
                    age_ms=(self._engine.now_ns - change.ts_ns) // 1_000_000,
                )
            self._written[at] = changes.total
        for notice in self._engine.notices.since(self._noticed):
            _log.warning(
                notice.kind.name.lower(),
                instrument=self._engine.instruments[notice.instrument].symbol,
                text=notice.text,
            )
        self._noticed = self._engine.notices.total

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            self.write()
