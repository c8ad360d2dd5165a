"""Starts `mmd exchange` as a child of the daemon and ends it with the daemon, however that ends."""

import asyncio
import os
import re
import sys
from collections.abc import Coroutine, Sequence
from typing import Any

import structlog

from mmd.errors import MmdError, VenueUnreachableError

_log = structlog.get_logger()
START_TIMEOUT_S = 120.0
"""Generous: a long tape is scanned, and kernels may be compiled, before it listens."""
STOP_TIMEOUT_S = 3.0
_LISTENING = "listening on "
_LAST_WORDS = "mmd exchange: "
_OPTION = re.compile(r"--(host|port|preset|speed|tape)\b")
_LINE_MAX = 2**20


class ExchangeProcess:
    """The embedded exchange in a process of its own; what it writes to standard error is passed on."""

    def __init__(self, arguments: Sequence[str], venues: int = 1) -> None:
        """Of so many venues; the arguments must ask for them."""
        self._arguments = arguments
        self._venues = venues
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._last_words = ""
        self._lifeline = -1
        """Write end of its standard input: closes with us, however we end, and that ends it."""

    async def start(self) -> list[str]:
        """Start it and return the address of each venue, http://host:port.

        Raises:
            MmdError: It ended before it listened, with its own message and exit code.
            VenueUnreachableError: It did not listen in time.
        """
        read_end, self._lifeline = os.pipe()
        self._process = process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mmd.cli.main",
            "exchange",
            "--until-stdin-closes",
            *self._arguments,
            stdin=read_end,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE_MAX,
            start_new_session=True,  # Ctrl-C is for the daemon, which pulls its quotes first
        )
        os.close(read_end)
        assert process.stdout is not None, "stdout is a pipe"
        assert process.stderr is not None, "stderr is a pipe"
        self._read(self._pass_on(process.stderr), "exchange-stderr")
        try:
            addresses = await asyncio.wait_for(self._addresses(process.stdout), START_TIMEOUT_S)
        except TimeoutError:
            await self.stop()
            raise VenueUnreachableError(
                f"the embedded exchange did not listen within {START_TIMEOUT_S:.0f} s"
            ) from None
        self._read(self._discard(process.stdout), "exchange-stdout")
        return addresses

    async def wait(self) -> None:
        """Until it has ended by itself, as it does at the end of a tape that is only observed.

        Raises:
            MmdError: It failed, with its own message and exit code.
        """
        assert self._process is not None, "not started"
        if await self._process.wait() != 0:
            raise await self._failure()

    async def stop(self) -> None:
        """Close its standard input, which ends it; then insist."""
        process = self._process
        if process is None:
            return
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            _log.warning("exchange_killed", after_s=STOP_TIMEOUT_S)
            process.kill()
            await process.wait()
        for reader in self._readers:
            reader.cancel()

    async def _addresses(self, stream: asyncio.StreamReader) -> list[str]:
        """Read lines until those that say where each venue listens."""
        found: list[str] = []
        while line := (await stream.readline()).decode(errors="replace").strip():
            if _LISTENING in line:
                found.append(line.split(_LISTENING, 1)[1].split()[0])
            if len(found) == self._venues:
                return found
        raise await self._failure()

    async def _failure(self) -> MmdError:
        """Its end as an error of ours; the options that it names are settings to whoever reads it here."""
        assert self._process is not None, "not started"
        code = await self._process.wait()
        await asyncio.wait(self._readers, timeout=STOP_TIMEOUT_S)
        told = _OPTION.sub(r"embedded.\1", self._last_words)
        if code < 0:
            return VenueUnreachableError(
                f"embedded exchange: killed by signal {-code}; start mmd run again"
            )
        error = MmdError(
            f"embedded exchange: {told or f'ended unexpectedly with exit code {code}'}"
        )
        error.exit_code = code or VenueUnreachableError.exit_code
        return error

    def _read(self, reading: Coroutine[Any, Any, None], name: str) -> None:
        self._readers.append(asyncio.create_task(reading, name=name))

    async def _pass_on(self, stream: asyncio.StreamReader) -> None:
        """Its log becomes part of ours; the line that says why it failed is kept for the error."""
        while line := (await stream.readline()).decode(errors="replace"):
            if line.startswith(_LAST_WORDS):
                self._last_words = line.removeprefix(_LAST_WORDS).strip()
            else:
                sys.stderr.write(line)
                sys.stderr.flush()

    async def _discard(self, stream: asyncio.StreamReader) -> None:
        """Keep its pipe from filling up."""
        while await stream.readline():
            pass
