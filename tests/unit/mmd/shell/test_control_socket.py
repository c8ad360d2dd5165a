"""The control socket: actions arrive, nonsense changes nothing, nobody waits for ever."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mmd.errors import MmdError
from mmd.ops.shared_state import shared_folder
from mmd.shell.control_socket import ACTIONS, RELOAD, ControlSocket, send_control

Heard = list[tuple[str, str]]


@pytest.fixture
async def engine() -> AsyncIterator[tuple[Path, Heard]]:
    heard: Heard = []
    folder = shared_folder()
    path = folder / "control"

    def obey(action: str, who: str) -> dict[str, object]:
        if action not in ACTIONS:
            raise MmdError(f"expected one of {', '.join(ACTIONS)}, found {action!r}")
        heard.append((action, who))
        return {"changed": ["risk.loss_max: 50 → 80"]} if action == RELOAD else {}

    socket = ControlSocket(path, obey)
    await socket.start()
    yield path, heard
    await socket.stop()
    folder.rmdir()


async def test_actions_reach_the_engine(engine: tuple[Path, Heard]) -> None:
    """With who asked."""
    path, heard = engine
    await send_control(path, "halt", "cli")
    await send_control(path, "resume", "http 127.0.0.1")
    assert heard == [("halt", "cli"), ("resume", "http 127.0.0.1")]
    assert (await send_control(path, "reload", "cli"))["changed"] == ["risk.loss_max: 50 → 80"]


@pytest.mark.parametrize("action", ["stop", "explode", ""])
async def test_unknown_actions_are_refused(engine: tuple[Path, Heard], action: str) -> None:
    """STOP is not for sale here: the process's own signals mean that."""
    path, heard = engine
    with pytest.raises(MmdError, match="the engine refused: expected one of halt"):
        await send_control(path, action, "cli")
    assert heard == []


@pytest.mark.parametrize(
    "line", [b"\n", b"not json\n", b"[1]\n", b'{"action": 5}\n', b"{}\n", b"\xff\xfe\n"]
)
async def test_nonsense_changes_nothing(engine: tuple[Path, Heard], line: bytes) -> None:
    """Answered with an error, and the next one is served."""
    path, heard = engine
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(line)
    assert json.loads(await reader.readline())["ok"] is False
    writer.close()
    await send_control(path, "halt", "cli")
    assert len(heard) == 1


async def test_only_the_owner_may_open_it(engine: tuple[Path, Heard]) -> None:
    """Mode 0600."""
    assert engine[0].stat().st_mode & 0o777 == 0o600


async def test_no_engine_is_one_clear_line(tmp_path: Path) -> None:
    """Nobody listens."""
    with pytest.raises(MmdError, match="no engine answers"):
        await send_control(tmp_path / "control", "halt", "cli")
