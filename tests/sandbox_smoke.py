"""Signs, subscribes, places far from the market, amends, cancels and reconciles on Binance's testnet.

    make sandbox-smoke

Needs a testnet key: MMD_VENUES__BINANCE__API_KEY with MMD_VENUES__BINANCE__API_SECRET, or for an Ed25519 key
with MMD_VENUES__BINANCE__API_PRIVATE_KEY_FILE. Skips with one line where there is no key or no network.
The same steps run against the embedded exchange in tests/e2e/test_sandbox_smoke.py.
"""

import asyncio
import contextlib
import math
import sys
from collections.abc import AsyncIterator, Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from mmd.app import make_venue
from mmd.config import load
from mmd.core.commands import (
    GATE_TOKEN,
    AmendOrder,
    Approved,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
)
from mmd.core.events import Event, OrderAccepted, OrderEnded, OrderStatus, PrivateUp, Reconciled
from mmd.core.instrument import Instrument
from mmd.core.market.record import TOP
from mmd.core.ports import Venue
from mmd.core.units import Side, TimeInForce, client_order_id
from mmd.errors import ConfigError, VenueUnreachableError
from mmd.jit.kernel import Rec
from mmd.shell.clock import SystemClock

CONFIG = Path(__file__).parents[1] / "deploy/config/binance-testnet.toml"
WAIT_S = 30.0
_DISTANCE = Fraction(9, 10)
_EPOCH_S = 1_577_836_800
E = TypeVar("E")


class _Sink:
    """Best prices and events, waited for."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.best: dict[int, tuple[int, int]] = {}
        self.running: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def on_market(self, market: Rec) -> None:
        if int(market["kind"][0]) == TOP:
            px = market["px"][0]
            self.best[int(market["instrument"][0])] = int(px[0, 0]), int(px[1, 0])
            self._changed.set()

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def follow(self, running: asyncio.Task[None]) -> None:
        """Whoever waits is told when the venue fails."""
        self.running = running
        running.add_done_callback(lambda _: self._changed.set())

    async def until(self, found: Callable[[], Any]) -> Any:
        async with asyncio.timeout(WAIT_S):
            while not (value := found()):
                if self.running is not None and self.running.done():
                    self.running.result()
                self._changed.clear()
                await self._changed.wait()
        return value

    async def event(self, kind: type[E], **fields: object) -> E:
        """The first event of a kind with these values."""

        def matching() -> list[Any]:
            return [
                e
                for e in self.events
                if type(e) is kind and all(getattr(e, k) == v for k, v in fields.items())
            ]

        return (await self.until(matching))[0]


@contextlib.asynccontextmanager
async def _running(venue: Venue) -> AsyncIterator[_Sink]:
    sink = _Sink()
    task = asyncio.create_task(venue.run(sink))
    sink.follow(task)
    try:
        yield sink
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def smoke(venue: Venue) -> AsyncIterator[str]:
    """One line for each step that worked; what does not work is raised."""
    instrument = (await venue.load())[0]
    yield f"signed: {instrument.symbol} loaded, maker fee {instrument.maker_fee_bps:g} bps"
    before = await venue.balances()
    async with _running(venue) as sink:
        await sink.event(PrivateUp)
        bid, ask = await sink.until(lambda: sink.best.get(instrument.id))
        yield f"subscribed: best bid {instrument.price(bid)}, best ask {instrument.price(ask)}"
        held = await sink.event(Reconciled)
        assert held.base_atoms == sum(before.get(instrument.base, (0, 0)))
        yield f"reconciled: {held.base_atoms} atoms of {instrument.base} held"
        async for line in _order_life(venue, sink, instrument, bid):
            yield line
    assert await venue.open_orders_ours() == [], "expected no order of ours to be left"
    assert (await venue.balances()).get(instrument.quote) == before.get(instrument.quote)
    yield "reconciled: no order left, balances as before"


async def _order_life(
    venue: Venue, sink: _Sink, instrument: Instrument, bid: int
) -> AsyncIterator[str]:
    """Place, amend, ask, cancel; each confirmed by the venue."""
    me = instrument.id
    order = client_order_id(SystemClock().unix_ns() // 10**9 - _EPOCH_S, 1)
    price_ticks = int(bid * max(_DISTANCE, Fraction(instrument.price_ratio_down)))
    notional = instrument.notional_per_ticklot * price_ticks
    least_lots = max(instrument.qty_lots_min, math.ceil(instrument.notional_min / notional))

    def send(command: Command) -> None:
        venue.send(Approved(command, gate=GATE_TOKEN))

    send(PlaceOrder(me, order, Side.BUY, price_ticks, 3 * least_lots, TimeInForce.POST_ONLY))
    accepted = await sink.event(OrderAccepted, client_order_id=order)
    yield f"placed: order {accepted.venue_order_id} at {instrument.price(price_ticks)}"
    send(AmendOrder(me, order, 2 * least_lots))
    await sink.event(OrderStatus, client_order_id=order, qty_lots=2 * least_lots, open=True)
    yield f"amended: to {instrument.qty(2 * least_lots)} {instrument.base}"
    (working,) = await venue.open_orders_ours()
    assert (working.client_order_id, working.price_ticks) == (order, price_ticks)
    send(CancelOrder(me, order))
    ended = await sink.event(OrderEnded, client_order_id=order)
    assert ended.filled_lots == 0
    send(QueryOrder(me, order))
    await sink.event(OrderStatus, client_order_id=order, known=True, open=False)
    yield "cancelled: confirmed by the venue, and by asking again"


async def _run() -> str:
    """Why it was skipped, or nothing."""
    settings = load(CONFIG)
    section = settings.venues["binance"].model_extra or {}
    if not section.get("api_key"):
        return (
            "no key: set MMD_VENUES__BINANCE__API_KEY and MMD_VENUES__BINANCE__API_SECRET "
            "(keys: https://testnet.binance.vision)"
        )
    venue = make_venue(settings, (), SystemClock())
    try:
        async for line in smoke(venue):
            print(line)
    except VenueUnreachableError as error:
        return f"no network: {error}"
    finally:
        await venue.close()
    return ""


def main() -> int:
    """Exit code 0 where it worked or was skipped, 2 for wrong settings."""
    try:
        why = asyncio.run(_run())
    except ConfigError as error:
        print(f"sandbox-smoke: {error}", file=sys.stderr)
        return error.exit_code
    print(f"sandbox-smoke: skipped, {why}" if why else "sandbox-smoke: all steps worked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
