"""The ops process keeps the journal folder small."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from structlog.testing import capture_logs

from mmd.config import JournalSection
from mmd.journal.format import COMPRESSED
from mmd.journal.reader import segments
from mmd.journal.writer import JournalWriter
from mmd.ops.housekeeping import keep_tidy
from tests.session import session_spec


async def test_it_compresses_now_and_then_and_outlives_what_fails(tmp_path: Path) -> None:
    """What it did is logged; a folder that is in its way is logged too, and tried again."""
    for name in "12":
        JournalWriter(tmp_path / name, session_spec(), segment_bytes=1, sync_ns=10**7).close()
    blocked = tmp_path / "1" / f"000001{COMPRESSED}.partial"
    blocked.mkdir()
    with capture_logs() as logs:
        task = asyncio.create_task(keep_tidy(JournalSection(folder=tmp_path), 0.0, 0.01))
        await _logged(logs, "journal_not_tidied")
        blocked.rmdir()
        await _logged(logs, "journal_tidied")
        task.cancel()
    assert segments(tmp_path / "1")[0].name.endswith(COMPRESSED)


async def _logged(logs: Sequence[Mapping[str, object]], event: str) -> None:
    async with asyncio.timeout(10):
        while not any(entry["event"] == event for entry in logs):  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.01)
