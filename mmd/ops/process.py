"""The ops process: HTTP, metrics and control, on the engine's shared memory. The engine never waits for it."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import structlog
import uvloop

from mmd.config import HttpSection, JournalSection
from mmd.errors import MmdError
from mmd.ops.housekeeping import keep_tidy
from mmd.ops.http import HttpServer
from mmd.ops.shared_files import ADDRESS_FILE, CONTROL_FILE, STATE_FILE
from mmd.ops.shared_state import SharedStateReader
from mmd.ops.state import State
from mmd.shell.control_socket import send_control

_NICENESS = 10
_log = structlog.get_logger()


class _EngineState:
    """Finds the engine's state, also after the engine was started anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: SharedStateReader | None = None

    def read(self) -> State:
        """Raises: MmdError while there is none."""
        if self._reader is None:
            self._reader = SharedStateReader(self._path)
        return self._reader.read()


def run_ops(section: HttpSection, journal: JournalSection, shared: Path) -> None:
    """Serve until SIGTERM, after the engine wherever they share a core. Raises: ConfigError if the port is taken."""
    os.nice(_NICENESS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(section, journal, shared))


async def _serve(section: HttpSection, journal: JournalSection, shared: Path) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    loop.add_reader(
        sys.stdin, stop.set
    )  # nothing is ever written to it: readable means that our parent is gone

    async def control(action: str, who: str) -> dict[str, object]:
        return await send_control(shared / CONTROL_FILE, action, who)

    state = _EngineState(shared / STATE_FILE)
    http = HttpServer(
        section.host, section.port, state.read, control, section.token.get_secret_value()
    )
    await http.start()
    (shared / ADDRESS_FILE).write_text(http.address)
    _log.info("ops_up", address=http.address)
    tidying = asyncio.create_task(keep_tidy(journal))
    try:
        await stop.wait()
    finally:
        tidying.cancel()
        await http.stop()


def address_in(shared: Path) -> str:
    """Where the ops process listens. Raises: MmdError if it has not said."""
    try:
        return (shared / ADDRESS_FILE).read_text()
    except OSError as error:
        raise MmdError(f"no ops process has listened yet for {shared}") from error
