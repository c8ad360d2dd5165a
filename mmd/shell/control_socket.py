"""The local socket through which people's orders reach the engine: one JSON line in, one out.

    {"action": "halt", "who": "cli"}     →   {"ok": true}
    {"action": "reload", "who": "cli"}   →   {"ok": true, "changed": [...], "refused": [...]}

Only the owner can open it (mode 0600), so it needs no token; whoever speaks for others (HTTP) checks theirs.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import structlog

from mmd.core.events import OperatorAction
from mmd.errors import MmdError

OPERATIONS = {
    action.name.lower(): action for action in OperatorAction if action is not OperatorAction.STOP
}
RELOAD = "reload"
ACTIONS = (*OPERATIONS, RELOAD)
TIMEOUT_S = 2.0
_LINE_MAX = 4096
_log = structlog.get_logger()


class ControlSocket:
    """The engine's end."""

    def __init__(self, path: Path, obey: Callable[[str, str], Mapping[str, object]]) -> None:
        """`obey` carries out an action of ACTIONS for somebody, and returns what came of it or raises MmdError."""
        self._path = path
        self._carry_out = obey
        self._server: asyncio.AbstractServer | None = None

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_unix_server(self._serve, self._path, limit=_LINE_MAX)
        self._path.chmod(0o600)

    async def stop(self) -> None:
        """Close it and remove its file."""
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer = self._obey(await reader.readline())
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (TimeoutError, OSError, ValueError) as error:
            _log.warning("control_failed", error=str(error))
        finally:
            writer.close()

    def _obey(self, line: bytes) -> dict[str, object]:
        """Act on one line; what is not understood is said so, and changes nothing."""
        try:
            request = json.loads(line)
            action, who = str(request["action"]), str(request["who"])[:64]
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": f"expected action ({', '.join(ACTIONS)}) and who"}
        try:
            return {"ok": True, **self._carry_out(action, who)}
        except MmdError as error:
            return {"ok": False, "error": str(error)}


async def send_control(path: Path, action: str, who: str) -> dict[str, Any]:
    """Ask the engine behind a control socket for an action; returns what came of it.

    Raises:
        MmdError: No engine listens there, it does not answer in time, or it refuses.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_unix_connection(path)
            writer.write(json.dumps({"action": action, "who": who}).encode() + b"\n")
            answer = json.loads(await reader.readline())
            writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        raise MmdError(
            f"no engine answers at {path} ({str(error) or 'time-out'}): is mmd run going on there?"
        ) from error
    if not answer.get("ok"):
        raise MmdError(f"the engine refused: {answer.get('error', 'no reason given')}")
    return dict(answer)
