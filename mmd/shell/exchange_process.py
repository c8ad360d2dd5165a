"""Starts `mmd exchange` as a child of the daemon and ends it with the daemon, however that ends."""

import asyncio
import os
import sys
from collections.abc import Sequence

import structlog

from mmd.errors import MmdError, VenueUnreachable

_log = structlog.get_logger()
START_TIMEOUT_S = 120.0
"""Generous: a long tape is scanned, and kernels may be compiled, before it listens."""
STOP_TIMEOUT_S = 3.0
_LISTENING = "listening on "


class ExchangeProcess:
    """The embedded exchange in a process of its own."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._process: asyncio.subprocess.Process | None = None
        self._drain: asyncio.Task[None] | None = None
        self._lifeline = -1
        """Write end of its standard input: closes with us, however we end, and that ends it."""

    async def start(self) -> str:
        """Start it and return its address, http://host:port.

        Raises:
            MmdError: It ended before it listened; the message is its own last line.
            VenueUnreachable: It did not listen in time.
        """
        read_end, self._lifeline = os.pipe()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mmd.cli.main",
            "exchange",
            "--until-stdin-closes",
            *self._arguments,
            stdin=read_end,
            stdout=asyncio.subprocess.PIPE,
            stderr=None,
            start_new_session=True,  # Ctrl-C is for the daemon, which pulls its quotes first
        )
        os.close(read_end)
        try:
            return await asyncio.wait_for(self._address(), START_TIMEOUT_S)
        except TimeoutError:
            await self.stop()
            raise VenueUnreachable(
                f"the embedded exchange did not listen within {START_TIMEOUT_S:.0f} s"
            ) from None

    async def wait(self) -> None:
        """Until it has ended by itself, as it does at the end of a tape that is only observed."""
        assert self._process is not None, "not started"
        await self._process.wait()

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
        if self._drain is not None:
            self._drain.cancel()

    async def _address(self) -> str:
        """Read lines until the one that says where it listens."""
        process = self._process
        assert process is not None, "not started"
        assert process.stdout is not None, "stdout is a pipe"
        while line := (await process.stdout.readline()).decode(errors="replace").strip():
            if _LISTENING in line:
                self._drain = asyncio.create_task(
                    self._discard(process.stdout), name="exchange-stdout"
                )
                return line.split(_LISTENING, 1)[1].split()[0]
        code = await process.wait()
        error = MmdError(
            f"the embedded exchange ended before it listened (exit code {code}); its own message is above"
        )
        error.exit_code = code or 1
        raise error

    async def _discard(self, stream: asyncio.StreamReader) -> None:
        """Keep its pipe from filling up."""
        while await stream.readline():
            pass
