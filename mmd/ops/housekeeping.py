"""Keeps the journal folder small while the daemon runs: in the ops process, in a thread, now and then."""

import asyncio

import structlog

from mmd.config import JournalSection
from mmd.errors import JournalError
from mmd.journal.retention import tidy
from mmd.shell.clock import SystemClock

FIRST_S, PERIOD_S = 60.0, 600.0
_log = structlog.get_logger()


async def keep_tidy(
    section: JournalSection, first_s: float = FIRST_S, period_s: float = PERIOD_S
) -> None:
    """Compress closed segments and remove sessions beyond the limits, for ever; what fails is logged and tried again."""
    clock = SystemClock()
    await asyncio.sleep(first_s)
    while True:
        try:
            done = await asyncio.to_thread(
                tidy,
                section.folder,
                clock.unix_ns(),
                compress=section.compress,
                keep_days=section.keep_days,
                keep_bytes=section.keep_bytes,
            )
        except JournalError as error:
            _log.warning("journal_not_tidied", error=str(error))
        else:
            if done.compressed > 0 or done.removed:
                _log.info("journal_tidied", **done._asdict())
        await asyncio.sleep(period_s)
