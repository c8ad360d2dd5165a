"""What can happen to the disk: full, read-only, a journal torn or corrupt."""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from mmd.journal.reader import sessions_in
from tests.faults.alone_rows import AloneFamily, Told, now_ns
from tests.faults.process_rows import gone, restarted
from tests.faults.rig import Rig, rig
from tests.faults.rows import SkipError

FAMILY = AloneFamily("disk")
_row = FAMILY.row


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory of a few megabytes. Raises: SkipError where this machine lets nobody mount."""
    at = folder / "disk"
    at.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(at)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        raise SkipError("file systems cannot be mounted here")
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], capture_output=True, check=False)


@_row("disk full while quoting")
async def disk_full(folder: Path) -> Told:
    with small_disk(folder, "size=4m") as disk:
        place = ("--set", f"journal.folder={disk / 'journal'}", "--set", "journal.segment_mib=1")
        async with rig(folder) as made:
            async with made.started(*place) as daemon:
                ballast = disk / "ballast"
                with contextlib.suppress(OSError), ballast.open("wb") as file:
                    while True:
                        file.write(bytes(4096))
                        file.flush()
                injected_ns = made.mark()
                async with asyncio.timeout(150):
                    while not daemon.logged("journal_lost"):
                        made.hit()
                        await asyncio.sleep(0.05)
                lost_ns = now_ns()
                gone_ns = await gone(made)
                async with asyncio.timeout(10):  # what is shown may be half a second old
                    while (await daemon.state())["journal_up"]:  # noqa: ASYNC110 - another process
                        await asyncio.sleep(0.1)
                done, _ = await daemon.end(signal.SIGTERM)
                assert done.code == 0, done.err
                ballast.unlink()
            told = await restarted(made, injected_ns, "", *place)
            seen = (
                f"no new orders, all cancelled {(gone_ns - lost_ns) / 1e6:.0f} ms after the segment could not be "
                "made; cancels went on; restarted with space"
            )
            return told._replace(injected_ns=lost_ns, detected_ns=lost_ns, seen=seen)


@_row("read-only disk at the start")
async def read_only(folder: Path) -> Told:
    with small_disk(folder, "size=4m,ro") as disk:
        async with rig(folder) as made:
            injected_ns = now_ns()
            done = await _refused(made, "--set", f"journal.folder={disk / 'journal'}")
            assert done[0] == 5, done
            assert "journal.folder" in done[1], done
            detected_ns = now_ns()
            return await _after_refusal(made, injected_ns, detected_ns, done[1])


async def _refused(made: Rig, *arguments: str) -> tuple[int, str]:
    """Exit code and the one line of a start that must not succeed."""
    async with made.started(*arguments, waits=False) as daemon:
        done = await daemon.ended()
    return done.code, done.error_lines[-1] if done.error_lines else done.err


async def _after_refusal(made: Rig, injected_ns: int, detected_ns: int, line: str) -> Told:
    """With another folder, as the message says, it starts."""
    told = await restarted(
        made, injected_ns, f"refused: {line[:110]}", "--set", "journal.folder=other"
    )
    return told._replace(detected_ns=detected_ns)


async def _killed(made: Rig) -> Path:
    """A session that was killed while it wrote; returns its last segment."""
    async with made.started() as daemon:
        made.hit()
        await made.recovered(now_ns())
        await daemon.end(signal.SIGKILL, daemon.engine_pid)
    return max(sessions_in(made.folder / "var/journal")[-1].glob("*.mmdj"))


def _end_of(data: bytes) -> int:
    """Where the written part of a segment ends."""
    return len(data.rstrip(b"\0"))


@_row("journal torn in its last record")
async def torn(folder: Path) -> Told:
    async with rig(folder) as made:
        segment = await _killed(made)
        data = bytearray(segment.read_bytes())
        end = _end_of(data)
        data[end - 9 : end] = bytes(9)
        segment.write_bytes(data)
        return await restarted(made, now_ns(), "the torn record is left out, all before it read")


@_row("journal corrupt in the middle")
async def corrupt(folder: Path) -> Told:
    async with rig(folder) as made:
        segment = await _killed(made)
        data = bytearray(segment.read_bytes())
        data[_end_of(data) // 2] ^= 0x55
        segment.write_bytes(data)
        injected_ns = now_ns()
        code, line = await _refused(made)
        assert code == 5, (code, line)
        assert "offset" in line, line
        assert segment.read_bytes() == bytes(data), "the file was changed"
        return await _after_refusal(made, injected_ns, now_ns(), line)
