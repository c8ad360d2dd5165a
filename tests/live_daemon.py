"""A running `mmd run` process that a test watches by its log and its HTTP server, and ends as a user would."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from tests.daemon import EMBEDDED, Finished

WAIT_S = 30.0


class LiveDaemon:
    """One process; made by `running`."""

    def __init__(
        self, process: asyncio.subprocess.Process, http: aiohttp.ClientSession, wait_s: float
    ) -> None:
        self.process = process
        self._wait_s = wait_s
        self._http = http
        self._out = b""
        self.lines: list[str] = []
        """Standard error so far."""
        self._grown = asyncio.Event()
        self._readers = [
            asyncio.create_task(self._read_err()),
            asyncio.create_task(self._read_out()),
        ]

    @property
    def log(self) -> list[dict[str, Any]]:
        """Structured log lines so far."""
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Log lines of one event."""
        return [row for row in self.log if row["event"] == event]

    async def event(self, event: str, count: int = 1) -> dict[str, Any]:
        """The count-th log line of an event, waited for; fails at once if the process ended before."""
        async with asyncio.timeout(self._wait_s):
            while len(found := self.logged(event)) < count:
                self._grown.clear()
                assert self.process.returncode is None, "\n".join(self.lines)
                await self._grown.wait()
        return found[count - 1]

    async def get(self, path: str) -> tuple[int, str]:
        """Status and text of one of its own pages."""
        await self.event("started")
        address = self.logged("ops_up")[-1]["address"]  # a restart has a port of its own
        async with self._http.get(address + path) as answer:
            return answer.status, await answer.text()

    async def state(self) -> dict[str, Any]:
        """`/api/state`, once there is one."""
        async with asyncio.timeout(self._wait_s):
            while (answer := await self.get("/api/state"))[0] != 200:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        return json.loads(answer[1])

    @property
    def engine_pid(self) -> int:
        """The process that trades."""
        return self.pid_of("engine")

    def pid_of(self, role: str) -> int:
        """A child of the process that was started."""
        (children,) = Path(f"/proc/{self.process.pid}/task").glob(f"{self.process.pid}/children")
        found = {
            pid: Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            for pid in children.read_text().split()
        }
        return next(int(pid) for pid, words in found.items() if role.encode() in words)

    async def instrument(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first instrument's state once it is as wanted."""
        row: dict[str, Any] = {}
        try:
            async with asyncio.timeout(self._wait_s):
                while not holds(row := (await self.state())["instruments"][0]):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(
                f"never came about; last {row}\n" + "\n".join(self.lines[-20:])
            ) from None
        return row

    async def quoting(self) -> dict[str, Any]:
        """The state once orders work on both sides."""
        return await self.instrument(
            lambda i: {o["side"] for o in i["orders"] if o["state"] == "WORKING"} == {"BUY", "SELL"}
        )

    async def end(self, number: signal.Signals, pid: int | None = None) -> tuple[Finished, float]:
        """Send a signal to the process (or to one of its children); what is left behind, and after how many seconds."""
        began = time.monotonic()
        os.kill(pid or self.process.pid, number)
        return await self.ended(), time.monotonic() - began

    async def ended(self) -> Finished:
        """What is left behind once it and all of its children have ended."""
        async with asyncio.timeout(self._wait_s):
            code = await self.process.wait()
            await asyncio.wait(self._readers)
        err = "".join(line + "\n" for line in self.lines)
        return Finished(code, self._out.decode(), err)

    async def _read_err(self) -> None:
        assert self.process.stderr is not None
        while line := await self.process.stderr.readline():
            self.lines.append(line.decode().rstrip("\n"))
            self._grown.set()
        await self.process.wait()
        self._grown.set()

    async def _read_out(self) -> None:
        assert self.process.stdout is not None
        self._out = await self.process.stdout.read()


@contextlib.asynccontextmanager
async def running(
    cwd: Path,
    port: int,
    *arguments: str | Path,
    prefix: Sequence[str] = (),
    wait_s: float = WAIT_S,
    **env: str,
) -> AsyncIterator[LiveDaemon]:
    """`mmd run` against an exchange that listens on a port of this machine; killed at the end if it still runs.

    `prefix` is a command that runs the command behind it, in other circumstances.
    """
    settings = ("embedded.autostart=false", f"embedded.port={port}", "http.port=0")
    process = await asyncio.create_subprocess_exec(
        *prefix,
        sys.executable,
        "-m",
        "mmd.cli.main",
        "run",
        "--config",
        str(EMBEDDED),
        *(word for pair in settings for word in ("--set", pair)),
        *map(str, arguments),
        cwd=cwd,
        env=os.environ | env,
        limit=2**20,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with aiohttp.ClientSession() as http:
        daemon = LiveDaemon(process, http, wait_s)
        try:
            yield daemon
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
            await asyncio.wait(daemon._readers)
