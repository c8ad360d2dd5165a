"""What the engine process shows and hears of people: its state, and their orders to halt or go on.

With an ops process beside it, state goes to shared memory and orders come through a local socket; without
one (`--single-process`) it serves HTTP itself. SIGUSR1 and a file named HALT work either way.
"""

import asyncio
import contextlib
import itertools
import signal
from pathlib import Path

import msgspec
import structlog

from mmd.config import HttpSection
from mmd.core.events import DayMark, OperatorAction
from mmd.core.ports import Clock
from mmd.core.risk.levels import RiskLevel
from mmd.core.trading_day import DayState
from mmd.errors import MmdError
from mmd.ops.http import HttpServer
from mmd.ops.picture import Picture
from mmd.ops.process import address_in
from mmd.ops.publisher import Publisher
from mmd.ops.settings_reload import SettingsReload
from mmd.ops.shared_files import CONTROL_FILE, HALT_FILE, RUNNING_FILE, STATE_FILE
from mmd.ops.shared_state import SharedStateWriter
from mmd.shell.control_socket import ACTIONS, OPERATIONS, RELOAD, ControlSocket
from mmd.shell.driver import Driver

PUBLISH_PERIOD_S = 0.25
_MARK_EVERY = 4
"""Publications to a DayMark in the journal: what a crash may forget of the day's loss is a second."""
_log = structlog.get_logger()


class EngineSide:
    """The engine's end of everything that people use."""

    def __init__(
        self,
        http: HttpSection,
        folder: Path,
        shared: Path | None,
        driver: Driver,
        picture: Picture,
        clock: Clock,
        settings: SettingsReload,
    ) -> None:
        """`folder` is the journal's, `shared` what an ops process reads, None where there is none."""
        self._settings = settings
        self._http = http
        self._folder = folder
        self._shared = shared
        self._driver = driver
        self._picture = picture
        self._clock = clock
        self._marked: DayState | None = None
        self._publisher: Publisher | None = None

    async def start(self, stack: contextlib.AsyncExitStack) -> str:
        """Open everything, to be closed by the stack; returns the address of the pages.

        Raises:
            ConfigError: There is no ops process and the HTTP port is taken.
        """
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(
            signal.SIGUSR1, self._driver.operate, OperatorAction.HALT, "SIGUSR1"
        )
        loop.add_signal_handler(signal.SIGHUP, self._reload_on_signal)
        if self._shared is None:
            token = self._http.token.get_secret_value()
            server = HttpServer(
                self._http.host, self._http.port, self._picture.whole, self._answer, token
            )
            await server.start()
            stack.push_async_callback(server.stop)
            return server.address
        writer = SharedStateWriter(self._shared / STATE_FILE)
        stack.callback(writer.close)
        self._publisher = Publisher(writer, self._picture)
        control = ControlSocket(self._shared / CONTROL_FILE, self._obey)
        await control.start()
        stack.push_async_callback(control.stop)
        running = self._folder / RUNNING_FILE
        running.write_text(str(self._shared))
        stack.callback(running.unlink, missing_ok=True)
        return address_in(self._shared)

    async def publish(self) -> None:
        """Show our state four times a second, look for the operator's file, and note what the day has come to."""
        halt = self._folder / HALT_FILE
        for number in itertools.count():
            if number % _MARK_EVERY == 0:
                self.mark_day()
            if self._publisher is not None:
                await self._publisher.publish()
            if halt.exists() and self._driver.engine.levels.level < RiskLevel.CANCEL_ALL:
                self._driver.operate(OperatorAction.HALT, f"file {halt}")
            await asyncio.sleep(PUBLISH_PERIOD_S)

    def mark_day(self) -> None:
        """Journal what the day has come to, for a session after this one; nothing while it stands still."""
        day = self._driver.engine.risk.day_state
        if day is not None and day != self._marked:
            self._marked = day
            self._driver.on_event(
                DayMark(
                    self._clock.monotonic_ns(), day.day, day.currency, day.pnl_atoms, day.peak_atoms
                )
            )

    def _obey(self, action: str, who: str) -> dict[str, object]:
        """Carry out a person's order; what came of it. Raises: MmdError."""
        if action == RELOAD:
            return msgspec.structs.asdict(self._settings.reload(who))
        if action not in OPERATIONS:
            raise MmdError(f"expected one of {', '.join(ACTIONS)}, found {action!r}")
        self._driver.operate(OPERATIONS[action], who)
        return {}

    async def _answer(self, action: str, who: str) -> dict[str, object]:
        return self._obey(action, who)

    def _reload_on_signal(self) -> None:
        try:
            self._settings.reload("SIGHUP")
        except MmdError as error:
            _log.error("settings_not_reloaded", error=str(error))
