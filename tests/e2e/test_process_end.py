"""How the daemon ends and comes back: signals, kill -9, an exchange that dies. Asked of the exchange itself."""

import asyncio
import contextlib
import json
import signal
import socket
from decimal import Decimal
from pathlib import Path

import aiohttp
import pytest

from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from adapters.binance_spot.sandbox_auth import Credential
from mmd.core.events import Reconciled
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, session_of
from mmd.journal.format import Kind, event_decoder
from mmd.journal.reader import latest_session, records
from tests.live_daemon import running
from tests.replays import replayed
from tests.sandbox_client import RestClient

SYMBOL, ACCOUNT = "MMDUSDT", "main"
KEY, SECRET = "key-0b7fe1a94c55", "secret-5d1c40e2b9f3"


async def open_orders(sandbox: Sandbox) -> list[str]:
    """Client ids of the working orders, asked as any client would."""
    async with aiohttp.ClientSession() as http:
        client = RestClient(http, sandbox)
        status, orders, _ = await client.signed("GET", "/api/v3/openOrders", symbol=SYMBOL)
    assert status == 200, orders
    return [order["clientOrderId"] for order in orders]


def sessions_working(sandbox: Sandbox) -> set[int]:
    """Sessions that have a working order, from the exchange's own book."""
    orders = sandbox.exchange.history.open_orders(ACCOUNT, 0)
    return {session_of(decode_id(order.client_order_id) or ClientOrderId(0)) for order in orders}


def base_held(sandbox: Sandbox) -> int:
    """Base atoms of the account, free and locked."""
    return sandbox.exchange.accounts[ACCOUNT].total("MMD")


def files_below(folder: Path) -> dict[str, bytes]:
    """Everything that was written there."""
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_pulls_every_quote(number: signal.Signals, tmp_path: Path) -> None:
    """Exit code 0 within 5 s, a summary, no error, and the exchange holds none of our orders."""
    async with (
        Sandbox(SandboxOptions(seed=5)) as sandbox,
        running(tmp_path, sandbox.port, "--summary", "s.json") as daemon,
    ):
        await daemon.quoting()
        assert len(await open_orders(sandbox)) > 1
        done, seconds = await daemon.end(number)
        assert (done.code, done.error_lines) == (0, []), done.err
        assert seconds < 5
        assert await open_orders(sandbox) == []
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["reconciliation"] == {"position_drift": 0, "open_orders_left": 0}
    assert summary["risk"]["breaches"] == 0
    errors = [row for row in daemon.log if row["level"] == "error"]
    assert not errors, errors


async def test_a_signal_before_the_first_quote_just_ends(tmp_path: Path) -> None:
    """Interrupted while it waits for an exchange that accepts and never answers: 130 at once, no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with running(tmp_path, silent.getsockname()[1]) as daemon:
            held, _ = await asyncio.to_thread(silent.accept)
            with held:
                done, seconds = await daemon.end(signal.SIGTERM)
    assert (done.code, done.error_lines) == (130, []), done.err
    assert seconds < 3


async def test_after_kill_9_the_next_session_takes_the_old_orders_back_first(
    tmp_path: Path,
) -> None:
    """At the first new order none of the dead session's works; position is the change of holdings since."""
    working_at_place: list[set[int]] = []

    def on_request(_: int, method: str) -> None:
        if method == "order.place":
            working_at_place.append(sessions_working(sandbox))

    async with Sandbox(SandboxOptions(seed=5), on_request=on_request) as sandbox:
        unguarded = ("--set", "guardian.enabled=false")
        async with running(tmp_path, sandbox.port, *unguarded) as first:
            await first.quoting()
            done, _ = await first.end(signal.SIGKILL, first.engine_pid)
            assert done.code == 1
            (line,) = done.error_lines
            assert line.startswith("mmd: the engine was killed by signal 9")
        (dead,) = sessions_working(sandbox)
        working_at_place.clear()
        async with running(tmp_path, sandbox.port, "--summary", "s.json") as second:
            row = await second.quoting()
            assert int((await second.state())["session"], 16) != dead
            assert second.logged("cancel_order_left_over")
            assert row["position_drift_atoms"] == 0
            done, _ = await second.end(signal.SIGINT)
        assert done.code == 0
        assert working_at_place
        assert all(dead not in sessions for sessions in working_at_place)
        assert await open_orders(sandbox) == []
        held = base_held(sandbox)
    session = latest_session(tmp_path / "var/journal")
    reconciled = (
        event
        for r in records(session)
        if r.kind is Kind.EVENT and isinstance(event := event_decoder.decode(r.body), Reconciled)
    )
    found_at_start = next(reconciled).base_atoms
    assert replayed(session).engine.makers[0].ledger.position_atoms == held - found_at_start
    summary = json.loads((tmp_path / "s.json").read_text())
    assert summary["reconciliation"] == {"position_drift": 0, "open_orders_left": 0}


async def test_an_engine_whose_parent_is_killed_pulls_its_quotes(tmp_path: Path) -> None:
    """kill -9 of the process that the user started leaves no orphan and no order behind."""
    async with (
        Sandbox(SandboxOptions(seed=5)) as sandbox,
        running(tmp_path, sandbox.port) as daemon,
    ):
        await daemon.quoting()
        _, seconds = await daemon.end(signal.SIGKILL)
        assert await open_orders(sandbox) == []
    assert seconds < 5
    assert daemon.logged("parent_gone")


async def test_an_exchange_that_dies_is_waited_for(tmp_path: Path) -> None:
    """The daemon lives, says feed_down once, and quotes again on the exchange that comes up at that port."""
    async with contextlib.AsyncExitStack() as stack:
        async with Sandbox(SandboxOptions(seed=5)) as sandbox:
            opening = Decimal(base_held(sandbox)) / ATOMS_PER_UNIT
            daemon = await stack.enter_async_context(running(tmp_path, sandbox.port))
            await daemon.quoting()
        await daemon.event("private_down")
        row = await daemon.instrument(lambda i: i["reason"] in ("FEED_DOWN", "PRIVATE_DOWN"))
        assert (await daemon.get("/readyz"))[0] == 503
        assert not row["book"]["synced"]
        await asyncio.sleep(1)
        assert len(daemon.logged("feed_down")) == 1
        assert daemon.process.returncode is None
        # A fill in its last moment dies with it, and is not part of what comes back.
        held = opening + Decimal(row["position"])
        again = SandboxOptions(seed=6, port=sandbox.port, base_balance=held)
        await stack.enter_async_context(back := Sandbox(again))
        await daemon.event("private_up", 2)
        row = await daemon.quoting()
        assert row["book"]["synced"]
        assert len(daemon.logged("feed_down")) == 1
        done, _ = await daemon.end(signal.SIGTERM)
        assert done.code == 0, done.err
        assert done.error_lines == []
        assert await open_orders(back) == []


async def test_no_secret_is_shown_anywhere(tmp_path: Path) -> None:
    """Key and secret are in no page, log line, printed text or journal record, whatever is logged."""
    options = SandboxOptions(seed=5, credentials=(Credential(KEY, SECRET),))
    env = {"MMD_VENUES__EMBEDDED__API_SECRET": SECRET, "MMD_LOG__LEVEL": "debug"}
    async with Sandbox(options) as sandbox:
        arguments = ("--set", f"venues.embedded.api_key={KEY}", "--summary", "s.json")
        async with running(tmp_path, sandbox.port, *arguments, **env) as daemon:
            await daemon.quoting()
            pages = {
                path: await daemon.get(path)
                for path in ("/api/state", "/metrics", "/api/orders", "/readyz", "/healthz")
            }
            done, _ = await daemon.end(signal.SIGTERM)
    assert done.code == 0, done.err
    texts = {path: text.encode() for path, (_, text) in pages.items()}
    assert all(status == 200 for status, _ in pages.values())
    texts |= {"stderr": done.err.encode(), "stdout": done.out.encode()}
    texts |= files_below(tmp_path)
    assert sum(name.endswith(".mmdj") for name in texts) == 1
    for name, text in texts.items():
        assert text, name
        assert SECRET.encode() not in text, name
        assert KEY.encode() not in text, name
