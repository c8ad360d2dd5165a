"""`mmd run` as a family of processes: the parent starts ops, engine and guardian, and ends them in order.

The engine trades and has nobody to wait for. Ops serves pages and metrics from the engine's shared memory; the guardian
takes back the orders of an engine that dies or hangs. Both may die and come back without the engine noticing. The
parent runs no market code: it passes signals on.
"""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import structlog

from mmd.errors import ConfigError, MmdError
from mmd.ops.shared_files import ADDRESS_FILE
from mmd.ops.shared_state import shared_folder

OPS_START_TIMEOUT_S = 90.0
ENGINE_STOP_TIMEOUT_S = 15.0
OPS_STOP_TIMEOUT_S = 2.0
GUARDIAN_STOP_TIMEOUT_S = 75.0
"""It gives up by itself before."""
RESTART_FIRST_S, RESTART_LONGEST_S = 0.2, 5.0
_POLL_S = 0.02
_log = structlog.get_logger()


def run_family(arguments: Sequence[str], *, has_guardian: bool) -> int:
    """Run engine, ops and a guardian with these `mmd run` arguments; returns the engine's exit code."""
    return asyncio.run(_Family(arguments, has_guardian=has_guardian).run())


class _Family:
    """Parent of one engine, one ops process and, where wanted, one guardian."""

    def __init__(self, arguments: Sequence[str], *, has_guardian: bool) -> None:
        self._arguments = arguments
        self._has_guardian = has_guardian
        self._shared = shared_folder()
        self._stop = asyncio.Event()
        self._stdin, self._lifeline = os.pipe()
        """Every child's standard input: it ends when we do, however that is, and then so do they."""
        self._ops: asyncio.subprocess.Process | None = None
        self._guardian: asyncio.subprocess.Process | None = None

    async def run(self) -> int:
        """Ops first, so that a taken port is told before anything trades."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop.set)
        try:
            ops = self._ops = await self._start("ops")
            await self._ops_up(ops)
            if self._stop.is_set():
                return 130
            engine = await self._start("engine")
            if self._has_guardian:
                self._guardian = await self._start("guardian")
            loop.add_signal_handler(signal.SIGUSR1, engine.send_signal, signal.SIGUSR1)
            if sys.stderr.isatty():  # then it means that the terminal is gone, and we with it
                loop.add_signal_handler(signal.SIGHUP, self._stop.set)
            else:
                loop.add_signal_handler(signal.SIGHUP, engine.send_signal, signal.SIGHUP)
            return await self._watch(engine, ops)
        finally:
            await self._end_ops()
            self._end_at_once(self._guardian)
            os.close(self._lifeline)
            os.close(self._stdin)
            shutil.rmtree(self._shared, ignore_errors=True)

    async def _start(self, role: str) -> asyncio.subprocess.Process:
        """One child, in a session of its own: Ctrl-C is for the parent, which ends things in order."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "mmd.cli.main",
            *self._arguments,
            *("--role", role, "--shared", str(self._shared)),
            stdin=self._stdin,
            start_new_session=True,
        )

    async def _ops_up(self, ops: asyncio.subprocess.Process) -> None:
        """Wait until it listens.

        Raises:
            SystemExit: With its code if it ended instead; it has said why.
            MmdError: It does neither.
        """
        address = self._shared / ADDRESS_FILE
        try:
            async with asyncio.timeout(OPS_START_TIMEOUT_S):
                while not address.exists() and ops.returncode is None and not self._stop.is_set():  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_S)
        except TimeoutError:
            raise MmdError(
                f"the ops process has not begun to listen within {OPS_START_TIMEOUT_S:.0f} s: this machine is "
                "very busy; try again, or run with --single-process"
            ) from None
        if ops.returncode is not None:
            raise SystemExit(ops.returncode)

    async def _watch(
        self, engine: asyncio.subprocess.Process, ops: asyncio.subprocess.Process
    ) -> int:
        """Until the engine has ended, by itself or because we were told to stop. Raises: MmdError if it was killed."""
        ended = asyncio.create_task(engine.wait(), name="engine")
        keepers = {asyncio.create_task(self._keep_ops(ops), name="ops")}
        if self._guardian is not None:
            keepers.add(asyncio.create_task(self._keep_guardian(self._guardian), name="guardian"))
        stop = asyncio.create_task(self._stop.wait(), name="stop")
        await asyncio.wait({ended, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if not ended.done():
            engine.send_signal(signal.SIGTERM)
            await asyncio.wait({ended}, timeout=ENGINE_STOP_TIMEOUT_S)
        if not ended.done():
            _log.error("engine_killed", after_s=ENGINE_STOP_TIMEOUT_S)
            engine.kill()
        code = await ended
        for keeper in keepers:
            keeper.cancel()
        await asyncio.wait(keepers)
        are_gone = await self._let_guardian_finish()
        if code < 0:
            orders = (
                "the guardian saw its orders gone; start mmd run again"
                if are_gone
                else "its orders may still be working; start mmd run again: it takes them back first"
            )
            raise MmdError(f"the engine was killed by signal {-code}: {orders}")
        return code

    async def _let_guardian_finish(self) -> bool:
        """Tell it that the engine has ended; returns whether it has seen all of the engine's orders gone."""
        guardian = self._guardian
        if guardian is None or guardian.returncode is not None:
            return False
        guardian.send_signal(signal.SIGUSR1)
        try:
            return await asyncio.wait_for(guardian.wait(), GUARDIAN_STOP_TIMEOUT_S) == 0
        except TimeoutError:
            _log.error("guardian_killed", after_s=GUARDIAN_STOP_TIMEOUT_S)
            return False

    async def _keep_ops(self, ops: asyncio.subprocess.Process) -> None:
        """Restart ops whenever it ends, with a growing pause; the engine goes on meanwhile."""
        pause_s = RESTART_FIRST_S
        while True:
            code = await ops.wait()
            _log.warning("ops_restarted", exit_code=code, pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RESTART_LONGEST_S)
            ops = self._ops = await self._start("ops")

    async def _keep_guardian(self, guardian: asyncio.subprocess.Process) -> None:
        """Restart it, too; the new one takes the engine for alive, and wants to hear from it within a lease."""
        pause_s = RESTART_FIRST_S
        while True:
            code = await guardian.wait()
            if code == ConfigError.exit_code:
                _log.error("no_guardian", why="its settings are wrong, see above")
                return
            _log.warning("guardian_restarted", exit_code=code, pause_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, RESTART_LONGEST_S)
            guardian = self._guardian = await self._start("armed-guardian")

    def _end_at_once(self, child: asyncio.subprocess.Process | None) -> None:
        """Only what is left when we end otherwise than in order."""
        if child is not None and child.returncode is None:
            child.terminate()

    async def _end_ops(self) -> None:
        ops = self._ops
        if ops is None or ops.returncode is not None:
            return
        ops.terminate()
        try:
            await asyncio.wait_for(ops.wait(), OPS_STOP_TIMEOUT_S)
        except TimeoutError:
            ops.kill()
            await ops.wait()


def check_shared(shared: Path | None) -> Path:
    """The folder given to a child. Raises: ConfigError if a person started it by hand without one."""
    if shared is None:
        raise ConfigError("--role is for mmd's own children: start mmd run without it")
    return shared
