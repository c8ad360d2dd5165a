"""Risk control as an operator meets it: flattening, losses over a restart, amends in the queue. Asked of the exchange."""

import asyncio
import signal
from pathlib import Path
from typing import Any

from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from mmd.core.commands import AmendOrder, PlaceOrder
from mmd.core.events import DayMark
from mmd.core.units import ATOMS_PER_UNIT, TimeInForce
from mmd.journal.format import Kind, command_decoder, event_decoder
from mmd.journal.reader import latest_session, read_spec, records
from tests.daemon import mmd
from tests.live_daemon import LiveDaemon, running
from tests.replays import replayed

ACCOUNT = "main"


def held_atoms(sandbox: Sandbox) -> int:
    """Base atoms of the account, free and locked."""
    return sandbox.exchange.accounts[ACCOUNT].total("MMD")


def commands_in(session: Path) -> list[Any]:
    """Every intent of a session."""
    return [command_decoder.decode(r.body) for r in records(session) if r.kind is Kind.COMMAND]


async def filled(daemon: LiveDaemon) -> None:
    """Wait until there is a position that an order can be made of."""
    await daemon.instrument(lambda i: abs(float(i["position"])) > 0.2)


async def test_flatten_closes_the_position_and_halts(tmp_path: Path) -> None:
    """`mmd flatten`: quotes gone, holdings back to less than an order, HALTED; resume quotes again; it replays."""
    async with Sandbox(SandboxOptions(seed=5)) as sandbox:
        at_start = held_atoms(sandbox)
        async with running(
            tmp_path, sandbox.port, "--set", "risk.order_notional_max=120"
        ) as daemon:
            await filled(daemon)
            done = await asyncio.to_thread(mmd, "flatten", "--journal", "var/journal", cwd=tmp_path)
            assert (done.code, done.out) == (0, "flatten: accepted\n"), done.err
            async with asyncio.timeout(20):
                while (state := await daemon.state())["risk_level"] != "HALTED":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            (row,) = state["instruments"]
            assert sandbox.exchange.history.open_orders(ACCOUNT, 0) == []
            assert abs(held_atoms(sandbox) - at_start) < 0.06 * ATOMS_PER_UNIT
            assert (row["orders"], row["position_drift_atoms"], row["identity_error"]) == ([], 0, 0)
            shown = await asyncio.to_thread(mmd, "status", "--journal", "var/journal", cwd=tmp_path)
            assert "HALTED" in shown.out
            assert "headroom" in shown.out
            done = await asyncio.to_thread(mmd, "resume", "--journal", "var/journal", cwd=tmp_path)
            assert done.code == 0, done.err
            await daemon.quoting()
            await daemon.end(signal.SIGINT)
    session = latest_session(tmp_path / "var/journal")
    taken = [c for c in commands_in(session) if getattr(c, "tif", None) is TimeInForce.IOC]
    assert taken
    assert all(isinstance(c, PlaceOrder) for c in taken)
    assert replayed(session).divergence is None


async def test_the_days_loss_is_counted_over_a_restart(tmp_path: Path) -> None:
    """After a kill -9 the next session counts on from the last mark in the journal."""
    async with Sandbox(SandboxOptions(seed=5)) as sandbox:
        async with running(tmp_path, sandbox.port) as first:
            await filled(first)
            await asyncio.sleep(1.5)
            await first.end(signal.SIGKILL, first.engine_pid)
        session = latest_session(tmp_path / "var/journal")
        marks = [
            event
            for r in records(session)
            if r.kind is Kind.EVENT and isinstance(event := event_decoder.decode(r.body), DayMark)
        ]
        last = marks[-1]
        assert last.peak_atoms - last.pnl_atoms >= 0
        async with running(tmp_path, sandbox.port) as second:
            await second.quoting()
            async with asyncio.timeout(10):
                while (await second.state())["risk"]["day_pnl"] is None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await second.end(signal.SIGINT)
        session = latest_session(tmp_path / "var/journal")
        losses = replayed(session).engine.risk.losses
        assert losses.day_start_atoms == -last.pnl_atoms
        day = read_spec(session).day
        assert day is not None
        assert (day.day, day.pnl_atoms, day.peak_atoms) == (
            last.day,
            last.pnl_atoms,
            last.peak_atoms,
        )


async def test_an_amend_keeps_its_place_in_the_queue(tmp_path: Path) -> None:
    """What stands ahead of the order is the same before and after, and our picture of it becomes the exchange's."""
    places: list[tuple[int, int]] = []
    async with Sandbox(SandboxOptions(seed=5)) as sandbox:
        exchange, book = sandbox.exchange, sandbox.exchange.markets[0].book
        amend = exchange.amend

        def watched(*arguments: Any, **named: Any) -> Any:
            order = exchange.history.find(ACCOUNT, 0, None, arguments[3])
            level = book.sides[order.side].levels[order.price_ticks]
            before = level.lots_ahead(order)
            result = amend(*arguments, **named)
            places.append((before, level.lots_ahead(order)))
            return result

        exchange.amend = watched  # type: ignore[method-assign]
        async with running(tmp_path, sandbox.port) as daemon:
            async with asyncio.timeout(40):
                while len(places) < 3:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await daemon.instrument(
                lambda i: (
                    {(o["client_order_id"], float(o["qty"])) for o in i["orders"]}
                    == {
                        (f"{decode_id(o.client_order_id):x}", o.qty_lots / 1000)
                        for o in exchange.history.open_orders(ACCOUNT, 0)
                    }
                )
            )
            await daemon.end(signal.SIGINT)
    assert all(before == after for before, after in places)
    session = latest_session(tmp_path / "var/journal")
    assert any(isinstance(c, AmendOrder) for c in commands_in(session))
    result = replayed(session)
    assert result.divergence is None
    assert result.engine.makers[0].orders.unknown_count == 0
