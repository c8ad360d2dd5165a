"""What the engine process shows and hears of people: its state, and their orders to halt or go on.

With an ops process beside it, state goes to shared memory and orders come through a local socket; without
one (`--single-process`) it serves HTTP itself. SIGUSR1 and a file named HALT work either way.
"""

import asyncio
import contextlib
import signal
from collections.abc import Callable
from pathlib import Path

from mmd.config import HttpSection
from mmd.core.events import OperatorAction
from mmd.core.risk.levels import RiskLevel
from mmd.errors import MmdError
from mmd.ops.http import HttpServer
from mmd.ops.process import address_in
from mmd.ops.shared_files import CONTROL_FILE, HALT_FILE, RUNNING_FILE, STATE_FILE
from mmd.ops.shared_state import SharedStateWriter
from mmd.ops.state import State
from mmd.shell.control_socket import ACTIONS, ControlSocket
from mmd.shell.driver import Driver

PUBLISH_PERIOD_S = 0.25


class EngineSide:
    """The engine's end of everything that people use."""

    def __init__(
        self,
        http: HttpSection,
        folder: Path,
        shared: Path | None,
        driver: Driver,
        state_of: Callable[[], State],
    ) -> None:
        """`folder` is the journal's, `shared` what an ops process reads, None where there is none."""
        self._http = http
        self._folder = folder
        self._shared = shared
        self._driver = driver
        self._state_of = state_of
        self._writer: SharedStateWriter | None = None

    async def start(self, stack: contextlib.AsyncExitStack) -> str:
        """Open everything, to be closed by the stack; returns the address of the pages.

        Raises:
            ConfigError: There is no ops process and the HTTP port is taken.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(
            signal.SIGUSR1, self._driver.operate, OperatorAction.HALT, "SIGUSR1"
        )
        if self._shared is None:
            token = self._http.token.get_secret_value()
            server = HttpServer(self._http.host, self._http.port, self._state_of, self._obey, token)
            await server.start()
            stack.push_async_callback(server.stop)
            return server.address
        self._writer = SharedStateWriter(self._shared / STATE_FILE)
        stack.callback(self._writer.close)
        control = ControlSocket(self._shared / CONTROL_FILE, self._driver.operate)
        await control.start()
        stack.push_async_callback(control.stop)
        running = self._folder / RUNNING_FILE
        running.write_text(str(self._shared))
        stack.callback(running.unlink, missing_ok=True)
        return address_in(self._shared)

    async def publish(self) -> None:
        """Show our state four times a second, and look for the operator's file."""
        halt = self._folder / HALT_FILE
        while True:
            if self._writer is not None:
                self._writer.publish(self._state_of())
            if halt.exists() and self._driver.engine.levels.level < RiskLevel.CANCEL_ALL:
                self._driver.operate(OperatorAction.HALT, f"file {halt}")
            await asyncio.sleep(PUBLISH_PERIOD_S)

    async def _obey(self, action: str, who: str) -> None:
        if action not in ACTIONS:
            raise MmdError(f"expected one of {', '.join(ACTIONS)}, found {action!r}")
        self._driver.operate(ACTIONS[action], who)
