"""Status and rules that change under a running session."""

import asyncio
import contextlib
from decimal import Decimal

import msgspec
import pytest
from structlog.testing import capture_logs

from adapters.binance_spot.instruments import instruments_of, rule_changes
from adapters.binance_spot.rejects import BAD_SYMBOL
from adapters.binance_spot.rules_watch import RulesWatch
from adapters.binance_spot.wire import CommissionRates, ExchangeInfo, SymbolFilter, SymbolInfo
from mmd.core.events import InstrumentStatus
from mmd.core.instrument import TradingStatus
from mmd.errors import VenueError, VenueUnreachableError
from mmd.shell.clock import SystemClock

TRADING, CANCEL_ONLY, HALTED = TradingStatus


def symbol(name: str = "AUSDT", status: str = "TRADING", tick: str = "0.01", least: str = "5"):
    return SymbolInfo(
        symbol=name,
        status=status,
        base_asset=name.removesuffix("USDT"),
        quote_asset="USDT",
        filters=(
            SymbolFilter(
                filter_type="PRICE_FILTER", tick_size=tick, min_price="0.01", max_price="1000"
            ),
            SymbolFilter(filter_type="LOT_SIZE", step_size="0.1", min_qty="0.1", max_qty="100"),
            SymbolFilter(filter_type="NOTIONAL", min_notional=least),
        ),
    )


class Listing:
    """exchangeInfo as the test sets it: refuses unlisted symbols like the venue, without naming them."""

    def __init__(self, *symbols: SymbolInfo) -> None:
        self.symbols = {s.symbol: s for s in symbols}
        self.reads = 0
        self.error: VenueError | None = None

    def set(self, **fields: str) -> None:
        made = symbol(**fields)
        self.symbols[made.symbol] = made

    async def exchange_info(self, names) -> ExchangeInfo:
        self.reads += 1
        if self.error is not None:
            raise self.error
        if not self.symbols.keys() >= set(names):
            raise VenueError("Invalid symbol.", BAD_SYMBOL)
        return ExchangeInfo(tuple(self.symbols[n] for n in names))


async def until(condition) -> None:
    for _ in range(1_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise TimeoutError


class Watched:
    """A running watch."""

    def __init__(self, listing: Listing, period_s: float = 0.01) -> None:
        info = ExchangeInfo(tuple(listing.symbols.values()))
        self.instruments = instruments_of(info, (), "v", 0, CommissionRates(maker="0.001"))
        self.listing = listing
        self.events: list[InstrumentStatus] = []
        self.asked = asyncio.Event()
        self.watch = RulesWatch("v", self.instruments, period_s, listing, SystemClock(), self.asked)

    def on_event(self, event) -> None:
        self.events.append(event)

    async def settle(self) -> list[TradingStatus]:
        """Statuses told up to now, after at least two more looks."""
        reads = self.listing.reads
        await until(lambda: self.listing.reads >= reads + 3)
        return [event.status for event in self.events]


@contextlib.asynccontextmanager
async def watched(*symbols: SymbolInfo, period_s: float = 0.01):
    made = Watched(Listing(*symbols), period_s)
    task = asyncio.create_task(made.watch.run(made))
    try:
        yield made
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_status_changes_are_told_once_each():
    """Nothing while nothing changes; cancel-only, halts of every name, and back."""
    async with watched(symbol()) as w:
        assert await w.settle() == []
        w.listing.set(status="CANCEL_ONLY")
        assert await w.settle() == [CANCEL_ONLY]
        w.listing.set(status="BREAK")
        assert await w.settle() == [CANCEL_ONLY, HALTED]
        w.listing.set(status="HALT")
        assert await w.settle() == [CANCEL_ONLY, HALTED]
        w.listing.set()
        assert await w.settle() == [CANCEL_ONLY, HALTED, TRADING]


@pytest.mark.parametrize("change", [{"tick": "0.05"}, {"tick": "0.001"}])
async def test_another_grid_halts_the_instrument(change):
    """Prices that we hold would mean something else: halted, with what changed in one log line."""
    with capture_logs() as logs:
        async with watched(symbol(), symbol("BUSDT")) as w:
            w.listing.set(**change)
            assert await w.settle() == [HALTED]
            assert w.events[0].instrument == 0
    (line,) = (log for log in logs if log["event"] == "instrument_changed")
    assert f"tick_size 0.01 -> {change['tick']}" in line["rules"]
    assert "restart to trade by the new rules" in line["rules"]


async def test_other_rules_are_told_but_do_not_halt():
    """A new smallest notional: one line, no event."""
    with capture_logs() as logs:
        async with watched(symbol()) as w:
            w.listing.set(least="10")
            assert await w.settle() == []
    lines = [log["rules"] for log in logs if log["event"] == "instrument_changed"]
    assert lines == ["notional_min 5 -> 10: restart to trade by the new rules"]


async def test_delisted_symbols_are_halted_and_the_others_go_on():
    """The venue refuses the whole question for one symbol that is gone."""
    async with watched(symbol(), symbol("BUSDT")) as w:
        del w.listing.symbols["AUSDT"]
        w.listing.set(name="BUSDT", status="CANCEL_ONLY")
        await w.settle()
        assert [(e.instrument, e.status) for e in w.events] == [(0, HALTED), (1, CANCEL_ONLY)]


@pytest.mark.parametrize(
    "error",
    [VenueUnreachableError("down"), VenueError("Invalid symbol.", -1), VenueError("x", BAD_SYMBOL)],
)
async def test_failures_are_tried_again(error):
    """What could not be read says nothing, but a venue that lists nothing of ours any more does."""
    async with watched(symbol()) as w:
        w.listing.error = error
        told = await w.settle()
        assert told == ([HALTED] if error.code == BAD_SYMBOL else [])
        w.listing.error = None
        w.listing.set(status="CANCEL_ONLY")
        assert (await w.settle())[-1] is CANCEL_ONLY


async def test_error_while_asking_one_by_one_is_tried_again():
    """Half an answer is none."""
    async with watched(symbol(), symbol("BUSDT")) as w:
        real = w.listing.exchange_info

        async def half(names):
            if len(names) > 1:
                raise VenueError("Invalid symbol.", BAD_SYMBOL)
            if names == ["BUSDT"]:
                w.listing.reads += 1
                raise VenueUnreachableError("down")
            return await real(names)

        w.listing.exchange_info = half
        assert await w.settle() == []


async def test_asking_brings_the_next_look_forward():
    """An order refused because trading is closed is followed by a look, not a minute later."""
    async with watched(symbol(), period_s=60.0) as w:
        w.listing.set(status="HALT")
        w.asked.set()
        await until(lambda: w.events)
        assert w.events[0].status is HALTED
        assert w.listing.reads == 1


def test_fees_are_no_rules():
    """The watch cannot see them, so they never differ."""
    info = ExchangeInfo((symbol(),))
    (a,) = instruments_of(info, (), "v", 0, CommissionRates(maker="0.001"))
    (b,) = instruments_of(info, (), "v", 0, CommissionRates())
    assert a != b
    assert rule_changes(a, b) == {}
    wider = msgspec.structs.replace(b, tick_size=Decimal("0.5"), orders_open_max=3)
    assert rule_changes(b, wider) == {"tick_size": "0.01 -> 0.5", "orders_open_max": "200 -> 3"}
