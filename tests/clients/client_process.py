"""Runs a client's conversation under that client's own Python against an embedded exchange, and checks its books."""

import asyncio
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_options import SandboxOptions

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("MMD_CLIENTS", ROOT / "var" / "clients"))
TOKEN = "clients-token"
WAIT_S = 90.0
Side = dict[int, int]


def interpreter(client: str) -> str:
    """The client's Python; the test is skipped where `make clients` has not installed it."""
    python = FOLDER / client / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{client} is not installed: run `make clients` (looked for {python})")
    return str(python)


class Books:
    """The exchange's own book at each update id that it told of."""

    def __init__(self) -> None:
        self.sandbox: Sandbox | None = None
        self._by_id: dict[int, tuple[Side, Side]] = {}

    def on_frame_sent(self, ts_ns: int, stream: str, update_id: int) -> None:
        """Keep the book as a diff of it goes out."""
        del ts_ns
        if "@depth" in stream and self.sandbox is not None:
            bids, asks = self.sandbox.exchange.markets[0].book.sides
            self._by_id[update_id] = dict(bids.depth(10**6)), dict(asks.depth(10**6))

    def check(self, told: list[tuple[int, Any, Any]], least: int) -> None:
        """Every book that a client told of at an id that we know equals ours, level by level."""
        assert self.sandbox is not None
        at = self.sandbox.instrument
        known = [book for book in told if book[0] in self._by_id]
        assert len(known) >= least, f"{len(known)} of {len(told)} books have an id that was sent"
        for update_id, *sides in known:
            theirs = tuple(
                {at.ticks(Decimal(p)): at.lots(Decimal(q)) for p, q in side} for side in sides
            )
            assert theirs == self._by_id[update_id], f"books differ at update id {update_id}"


async def converse(module: str, client: str | None, **options: Any) -> dict[str, Any]:
    """Run tests/clients/<module>.py to its end; what it reported, its books checked."""
    python = sys.executable if client is None else interpreter(client)
    books = Books()
    sandbox = Sandbox(
        SandboxOptions(faults_token=TOKEN, **options), on_frame_sent=books.on_frame_sent
    )
    books.sandbox = sandbox
    async with sandbox:
        process = await asyncio.create_subprocess_exec(
            python,
            "-m",
            f"tests.clients.{module}",
            *(sandbox.rest_url, sandbox.stream_url, sandbox.api_url, TOKEN),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(WAIT_S):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    print(err.decode())
    assert process.returncode == 0, err.decode()[-4000:]
    seen = json.loads(out.splitlines()[-1])
    books.check(seen["books"], least=5)
    return seen
