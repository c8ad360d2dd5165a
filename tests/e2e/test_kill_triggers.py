"""What holds the daemon up by itself, end to end: losses, a fall from the peak, a storm of refusals. Asked of the exchange."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import aiohttp

from adapters.binance_spot.order_ids import decode_id
from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from adapters.binance_spot.sandbox_auth import Credential
from adapters.binance_spot.sandbox_control import PATH
from mmd.core.units import ATOMS_PER_UNIT, Side
from mmd.exchange.exchange import OrderRequest
from mmd.exchange.orders import Order, OrderTif, OrderType
from tests.daemon import mmd
from tests.live_daemon import LiveDaemon, running

ACCOUNT, TOKEN = "main", "only for tests"
STRANGER = Credential("stranger-key", "stranger-secret", "stranger")
WAIT_S = 90.0
_LEVELS = 40
"""Of the book, by which the price falls."""
_WALL_LOTS = 2_000_000
_STORM: Final = {"risk__rejects_max": 4, "risk__rejects_window_ms": 60_000}
_REFILL_S = 0.6
"""After so long the book has filled up again, and we quote in it."""


class Rig(NamedTuple):
    """A daemon and the exchange whose records are the truth."""

    daemon: LiveDaemon
    sandbox: Sandbox
    folder: Path
    began_atoms: int
    """Base atoms of the account before the daemon came."""

    @property
    def working(self) -> list[Order]:
        """Our working orders, from the exchange's own book."""
        orders = self.sandbox.exchange.history.open_orders(ACCOUNT, 0)
        return [o for o in orders if decode_id(o.client_order_id) is not None]

    @property
    def held_atoms(self) -> int:
        """Base atoms of the account, free and locked."""
        return _held_atoms(self.sandbox)

    def take(self, side: Side, levels: int, rest_lots: int = 0) -> None:
        """A stranger takes so many levels of a side, our orders among them; the rest of his order stays there."""
        exchange, now_ns = self.sandbox.exchange, self.sandbox.clock.now_ns()
        depth = exchange.markets[0].book.sides[side].depth(levels)
        request = OrderRequest(
            instrument=0,
            client_order_id=f"stranger-{now_ns}",
            side=side.opposite,
            type=OrderType.LIMIT,
            price_ticks=depth[-1][0],
            qty_lots=sum(qty for _, qty in depth) + rest_lots,
            tif=OrderTif.GTC if rest_lots > 0 else OrderTif.IOC,
        )
        _, events = exchange.place(STRANGER.account, request, now_ns)
        self.sandbox.router.publish(events)

    async def refuse(self, orders: int) -> None:
        """The exchange refuses so many of the next orders, amends and cancels for want of funds."""
        fault = {
            "fault": "refuse",
            "code": -2010,
            "message": "insufficient balance",
            "count": orders,
        }
        async with (
            aiohttp.ClientSession(headers={"X-MMD-Token": TOKEN}) as http,
            http.post(self.sandbox.rest_url + PATH, json=fault) as answer,
        ):
            assert answer.status == 204, await answer.text()

    async def reduces_only(self) -> dict[str, Any]:
        """Bids are filled, and those in their place refused, until the level is above CAUTIOUS; the state then."""
        async with asyncio.timeout(WAIT_S):
            while (state := await self.daemon.state())["risk_level"] in ("NORMAL", "CAUTIOUS"):
                await self.refuse(2)
                self.take(Side.BUY, 4)
                await asyncio.sleep(_REFILL_S)
        return state

    async def until(
        self,
        holds: Callable[[dict[str, Any]], bool],
        meanwhile: Callable[[], None] = lambda: None,
        every_s: float = 0.1,
    ) -> dict[str, Any]:
        """The state once it is as wanted; something may be done again and again until then."""
        async with asyncio.timeout(WAIT_S):
            while not holds(state := await self.daemon.state()):
                meanwhile()
                await asyncio.sleep(every_s)
        return state

    async def long(self, least: float) -> float:
        """Strangers sell to us until we hold more than that of base; how much. An order has one at most."""
        state = await self.until(
            lambda s: _position(s) > least, lambda: self.take(Side.BUY, 4), _REFILL_S
        )
        return _position(state)

    async def losing(self) -> None:
        """Long, and the price falls below what was paid, where more is on offer than anybody takes."""
        await self.long(0.5)
        self.take(Side.BUY, _LEVELS, _WALL_LOTS)

    async def halted(self, reason: str, rises: int = 1) -> None:
        """HALTED is reached only when every order is confirmed gone, stays so, and says why everywhere."""
        state = await self.until(lambda s: s["risk_level"] == "HALTED")
        assert self.working == []
        assert state["risk_reason"] == reason
        assert state["risk"]["level_rises"][reason] >= rises
        _, metrics = await self.daemon.get("/metrics")
        assert 'mmd_risk_level{level="HALTED"} 1.0' in metrics
        (count,) = (
            float(line.split()[-1])
            for line in metrics.splitlines()
            if line.startswith(f'mmd_risk_level_rises_total{{reason="{reason}"}}')
        )
        assert count >= rises
        await asyncio.sleep(0.3)
        assert self.working == []


@contextlib.asynccontextmanager
async def quoting(folder: Path, **settings: object) -> AsyncIterator[Rig]:
    """A daemon that quotes both sides: risk__loss_max=5 for risk.loss_max."""
    options = SandboxOptions(seed=5, faults_token=TOKEN, credentials=(Credential(), STRANGER))
    arguments = (
        word
        for key, value in settings.items()
        for word in ("--set", f"{key.replace('__', '.')}={value}")
    )
    async with Sandbox(options) as sandbox:
        began_atoms = _held_atoms(sandbox)
        async with running(folder, sandbox.port, *arguments, wait_s=WAIT_S) as daemon:
            await daemon.quoting()
            yield Rig(daemon, sandbox, folder, began_atoms)


def _held_atoms(sandbox: Sandbox) -> int:
    return sandbox.exchange.accounts[ACCOUNT].total("MMD")


def _position(state: dict[str, Any]) -> float:
    return float(state["instruments"][0]["position"])


async def test_the_days_loss_halts_and_a_resume_does_not_forgive_it(tmp_path: Path) -> None:
    """With risk.on_loss = halt, the default, the position is kept; resumed, the session stops again."""
    async with quoting(tmp_path, risk__loss_max="0.05", risk__drawdown_max="1000") as rig:
        await rig.losing()
        await rig.halted("DAY_LOSS", rises=2)
        held = rig.held_atoms
        done = await asyncio.to_thread(mmd, "resume", "--journal", "var/journal", cwd=tmp_path)
        assert done.code == 0, done.err
        # it rises to CANCEL_ALL and to HALTED each time: with fewer than four the state is that of before the resume
        await rig.until(lambda s: s["risk"]["level_rises"]["DAY_LOSS"] == 4)
        await rig.halted("DAY_LOSS", rises=4)
        assert rig.held_atoms == held


async def test_a_fall_from_the_days_peak_closes_the_position_and_halts(tmp_path: Path) -> None:
    """With risk.on_loss = flatten what reduces the position goes out while all else is stopped."""
    settings = {"risk__on_loss": "flatten", "risk__flatten_slippage_bps": "500"}
    async with quoting(
        tmp_path, risk__loss_max="1000", risk__drawdown_max="0.05", **settings
    ) as rig:
        await rig.losing()
        await rig.halted("DRAWDOWN")
        assert abs(rig.held_atoms - rig.began_atoms) < 0.06 * ATOMS_PER_UNIT, "less than an order"
        (row,) = (await rig.daemon.state())["instruments"]
        assert row["position_drift_atoms"] == 0


async def test_a_storm_of_refusals_that_goes_on_halts(tmp_path: Path) -> None:
    """Cautious, only reducing, and where the orders that would reduce are refused as well: all gone, then halted."""
    async with quoting(tmp_path, **_STORM) as rig:
        await rig.long(2.0)
        await rig.reduces_only()
        while (await rig.daemon.state())["risk_level"] == "REDUCE_ONLY":
            await rig.refuse(4)
            await asyncio.sleep(_REFILL_S)
        await rig.halted("REJECT_STORM", rises=4)


async def test_a_storm_of_refusals_reduces_only(tmp_path: Path) -> None:
    """While it lasts orders that shrink the position still work and fill."""
    async with quoting(tmp_path, **_STORM) as rig:
        await rig.long(2.0)
        state = await rig.reduces_only()
        assert state["risk_level"] == "REDUCE_ONLY"
        assert state["risk_reason"] == "REJECT_STORM"
        await rig.until(lambda _: {o.side for o in rig.working} == {Side.SELL})
        held = _position(state)
        await rig.until(lambda s: _position(s) < held, lambda: rig.take(Side.SELL, 3), _REFILL_S)
        assert _position(await rig.daemon.state()) >= 0.0
        assert Side.BUY not in {o.side for o in rig.working}
