"""`mmd record` against `mmd exchange` over real sockets: what is recorded is what was served; crashes cost little."""

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.tape.format import AFTER_GAP
from mmd.tape.reader import open_tape
from mmd.tape.verifying import verify_tape
from tests.daemon import EMBEDDED, mmd
from tests.tapes import all_rows, books, frames_of

_WAIT_S = 40.0
_STREAMS = "mmdusdt@depth@100ms/mmdusdt@trade/mmdusdt@bookTicker"


@pytest.fixture
async def exchange() -> AsyncIterator[int]:
    """The port of an exchange process."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmd.cli.main", "exchange", "--port", "0", "--seed", "5",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), _WAIT_S)).decode()
    yield int(line.split("listening on http://127.0.0.1:")[1].split()[0])
    process.kill()
    await process.wait()


async def _recorder(port: int, folder: Path, *arguments: str) -> asyncio.subprocess.Process:
    """A recorder process that has a synchronised book."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mmd.cli.main", "record", str(folder), "--config", str(EMBEDDED),
        "--set", "embedded.autostart=false", "--set", f"embedded.port={port}", *arguments,
        cwd=folder.parent, stderr=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    async with asyncio.timeout(_WAIT_S):
        while b"feed_up" not in (line := await process.stderr.readline()):
            assert line, "the recorder ended before its feed was up"
    return process


async def _listen(port: int, seconds: float) -> list[dict[str, Any]]:
    """What an independent client is sent meanwhile."""
    heard: list[dict[str, Any]] = []
    url = f"ws://127.0.0.1:{port}/stream?streams={_STREAMS}"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = await socket.receive(timeout=left)
            except TimeoutError:
                break
            heard.append(json.loads(message.data)["data"])
    return heard


def _levels(rows: list[list[str]], tick: float, lot: float) -> list[tuple[int, int]]:
    return [(round(float(p) / tick), round(float(q) / lot)) for p, q in rows]


async def test_what_is_recorded_is_what_was_served(exchange: int, tmp_path: Path) -> None:
    """Every diff, trade and top that another client heard in the meantime, by its number and level by level."""
    folder = tmp_path / "rec"
    process = await _recorder(exchange, folder)
    heard = await _listen(exchange, 6.0)
    await asyncio.sleep(0.5)
    process.send_signal(signal.SIGINT)
    out, _ = await asyncio.wait_for(process.communicate(), _WAIT_S)
    assert process.returncode == 0
    tape = open_tape(folder / "MMDUSDT")
    at, rows = tape.header.instrument, all_rows(tape)
    grid = (float(at.tick_size), float(at.lot_size))
    served: dict[int, dict[int, object]] = {DIFF: {}, TRADE: {}, TOP: {}}
    for data in heard:
        if data.get("e") == "depthUpdate":
            changed = (_levels(data["b"], *grid), _levels(data["a"], *grid))
            served[DIFF][data["u"]] = (data["U"], *changed)
        elif data.get("e") == "trade":
            served[TRADE][data["t"]] = (int(data["m"]), _levels([[data["p"], data["q"]]], *grid))
        elif "A" in data:
            served[TOP][data["u"]] = _levels(
                [[data["b"], data["B"]], [data["a"], data["A"]]], *grid
            )
    recorded: dict[int, dict[int, object]] = {DIFF: {}, TRADE: {}, TOP: {}}
    for frame in frames_of(rows):
        kind = int(frame["kind"][0])
        pairs = [
            list(zip(part["price_ticks"].tolist(), part["qty_lots"].tolist(), strict=True))
            for part in (frame[frame["side"] == side] for side in (0, 1))
        ]
        if kind == DIFF:
            recorded[DIFF][int(frame["last"][0])] = (int(frame["first"][0]), *pairs)
        elif kind == TRADE:
            side = int(frame["side"][0])
            recorded[TRADE][int(frame["first"][0])] = (side, pairs[side])
        elif kind == TOP:
            recorded[TOP][int(frame["last"][0])] = pairs[0] + pairs[1]
    # What the opening snapshot already contains is not recorded over again.
    opening = int(rows[rows["kind"] == SNAPSHOT]["last"][0])
    for kind in (DIFF, TOP):
        served[kind] = {n: content for n, content in served[kind].items() if n > opening}
    for kind, by_number in served.items():
        assert by_number, "the exchange was silent"
        missing = by_number.keys() - recorded[kind].keys()
        assert not missing, f"kind {kind}: {len(missing)} of {len(by_number)} are not on tape"
        assert all(recorded[kind][n] == content for n, content in by_number.items())
    assert [f.issue.name for f in verify_tape(tape)] == []
    assert f"{tape.header.counts.rows:,} rows" in out.decode()


async def test_a_killed_recorder_loses_at_most_its_flush_and_goes_on(
    exchange: int, tmp_path: Path
) -> None:
    """SIGKILL, then a second recording into the same folder: both are there, the hole is marked, and it verifies."""
    folder = tmp_path / "rec"
    process = await _recorder(exchange, folder, "--flush-every", "200ms")
    await asyncio.sleep(3.0)
    killed_ns = time.time_ns()
    process.kill()
    await process.communicate()
    assert not list((folder / "MMDUSDT").glob("*.parquet"))
    second = await _recorder(exchange, folder, "--for", "2s", "--rotate-every", "900ms")
    await asyncio.wait_for(second.communicate(), _WAIT_S)
    assert second.returncode == 0
    tape = open_tape(folder / "MMDUSDT")
    assert len(tape.files) >= 3
    assert not list(folder.rglob("*.rows"))
    first_rows = all_rows(open_tape(tape.files[0]))
    assert killed_ns - int(first_rows["ts_recv_ns"][-1]) < 1_000_000_000
    rows = all_rows(tape)
    marked = rows[(rows["flags"] & AFTER_GAP) != 0]
    assert len(marked) == 1
    assert marked["ts_recv_ns"][0] > killed_ns
    kinds = [int(f["kind"][0]) for f, _ in books(rows)]
    assert kinds.count(SNAPSHOT) == 2
    assert not {f.issue.name for f in verify_tape(tape)} - {"trade_id_gap"}


def test_an_exchange_that_is_not_there_is_told(tmp_path: Path) -> None:
    """One line, the code for an unreachable venue, and no folder with half a recording."""
    settings = ("--set", "embedded.autostart=false", "--set", "embedded.port=1")
    done = mmd("record", "rec", "--config", EMBEDDED, *settings, cwd=tmp_path)
    assert done.code == 3
    assert len([line for line in done.error_lines if line.startswith("mmd: ")]) == 1
    assert not list(tmp_path.rglob("*.rows"))
    assert list(tmp_path.iterdir()) == []
