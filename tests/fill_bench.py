"""A bench for simulated fills: a FillExchange on a hand-made market, and tapes made of a few rows."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mmd.core.commands import CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.events import Event, Fill
from mmd.core.instrument import Instrument
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT, TOP, TRADE
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.exchange.fills.fill_exchange import FillExchange
from mmd.exchange.fills.record import queue_model
from mmd.jit.kernel import new
from mmd.tape.format import AGGRESSOR_KNOWN, ROW
from mmd.tape.reader import Tape
from tests.session import instrument
from tests.tapes import row, write_tape

ZERO = InstrumentId(0)
Levels = dict[int, int]
MS = 1_000_000
START_NS = 1_700_000_000_000_000_000


class FillBench:
    """A FillExchange whose market is made by hand; ids of orders count from 1."""

    def __init__(
        self,
        model: str = "risk_averse",
        *,
        exponent: float = 3.0,
        base: float = 1_000.0,
        quote: float = 1_000_000.0,
        **changes: object,
    ) -> None:
        self.instrument: Instrument = instrument(**changes)
        held = {
            self.instrument.base: int(base * ATOMS_PER_UNIT),
            self.instrument.quote: int(quote * ATOMS_PER_UNIT),
        }
        self.exchange = FillExchange(
            self.instrument, held, model=queue_model(model), exponent=exponent
        )
        self.now_ns = START_NS
        self.update_id = 0
        self.orders = 0
        self._market = new(MARKET)

    def book(self, kind: int, bids: Levels, asks: Levels) -> int:
        """One book frame."""
        m = self._market
        self.update_id += 1
        m["kind"], m["ts_recv_ns"] = kind, self.now_ns
        m["last"], m["prev"], m["first"] = self.update_id, self.update_id - 1, self.update_id
        for side, levels in enumerate((bids, asks)):
            m["n"][0, side] = len(levels)
            for i, (px, lots) in enumerate(levels.items()):
                m["px"][0, side, i], m["sz"][0, side, i] = px, lots
        return self.exchange.on_book(m)

    def snapshot(self, bids: Levels, asks: Levels) -> None:
        """A whole book."""
        self.book(SNAPSHOT, bids, asks)

    def diff(self, bids: Levels | None = None, asks: Levels | None = None) -> None:
        """Changed levels."""
        self.book(DIFF, bids or {}, asks or {})

    def top(self, bid: tuple[int, int], ask: tuple[int, int]) -> None:
        """A newer best bid and ask."""
        self.book(TOP, dict([bid]), dict([ask]))

    def trade(self, aggressor: Side, px: int, lots: int) -> list[Fill]:
        """A print; returns our fills."""
        self.exchange.on_trade(aggressor, px, lots, self.now_ns)
        return self.fills()

    def fills(self) -> list[Fill]:
        """Fills that nobody has fetched yet."""
        return [e for e in self.exchange.collect() if isinstance(e, Fill)]

    def send(self, command: Command) -> list[Event]:
        """A request arrives now."""
        return list(self.exchange.receive(command, self.now_ns))

    def place(
        self, side: Side, px: int, lots: int, tif: TimeInForce = TimeInForce.POST_ONLY
    ) -> list[Event]:
        """A new order with the next id."""
        self.orders += 1
        return self.send(PlaceOrder(ZERO, ClientOrderId(self.orders), side, px, lots, tif))

    def replace(self, old: int, side: Side, px: int, lots: int) -> list[Event]:
        """Cancel one order and place another with the next id."""
        self.orders += 1
        new_id = ClientOrderId(self.orders)
        old_id = ClientOrderId(old)
        return self.send(ReplaceOrder(ZERO, old_id, new_id, side, px, lots, TimeInForce.POST_ONLY))

    def cancel(self, order_id: int) -> list[Event]:
        """Take an order back."""
        return self.send(CancelOrder(ZERO, ClientOrderId(order_id)))

    def ahead(self, order_id: int) -> float:
        """Lots ahead of a resting order."""
        record = self.exchange.fills[0]
        for side in Side:
            for slot in range(int(record["n"][side])):
                if record["id"][side, slot] == order_id:
                    return float(record["ahead"][side, slot])
        raise AssertionError(f"order {order_id} does not rest")


class TapeBench:
    """Rows of a tape, frame by frame, in ns after START_NS."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, ...]] = []
        self.update_id = 0
        self.trade_id = 0

    def book(self, at_ns: int, bids: Levels, asks: Levels, kind: int = DIFF) -> None:
        """A book frame."""
        self.update_id += 1
        levels = [(0, *level) for level in bids.items()] + [(1, *level) for level in asks.items()]
        for i, (side, px, lots) in enumerate(levels):
            self._add(
                kind,
                at_ns,
                end=i == len(levels) - 1,
                side=side,
                price_ticks=px,
                qty_lots=lots,
                first=self.update_id,
                last=self.update_id,
                prev=self.update_id - 1,
            )

    def snapshot(self, at_ns: int, bids: Levels, asks: Levels) -> None:
        """A whole book."""
        self.book(at_ns, bids, asks, SNAPSHOT)

    def trade(self, at_ns: int, aggressor: Side, px: int, lots: int) -> None:
        """A print."""
        self.trade_id += 1
        self._add(
            TRADE,
            at_ns,
            end=True,
            flags=AGGRESSOR_KNOWN,
            first=self.trade_id,
            side=int(aggressor),
            price_ticks=px,
            qty_lots=lots,
        )

    def write(self, path: Path) -> Tape:
        """The tape."""
        return write_tape(path, np.array(self.rows, ROW))

    def _add(self, kind: int, at_ns: int, *, end: bool, flags: int = 0, **fields: int) -> None:
        ts_ns = START_NS + at_ns
        self.rows.append(
            row(kind, end=end, flags=flags, ts_event_ns=ts_ns, ts_recv_ns=ts_ns, **fields)
        )


def kinds(events: Iterable[Event]) -> list[str]:
    """The names of events."""
    return [type(e).__name__ for e in events]


def random_walk(seed: int, frames: int, period_ns: int = 40 * MS) -> TapeBench:
    """A market that moves a tick now and then, with prints at its touch; whole levels come and go."""
    rng = np.random.default_rng(seed)
    made, mid, at_ns = TapeBench(), 10_000, 0
    book: tuple[Levels, Levels] = _levels(mid, rng)
    made.snapshot(at_ns, *book)
    for _ in range(frames):
        at_ns += int(rng.exponential(period_ns)) + 1
        draw = rng.random()
        if draw < 0.35:
            aggressor = Side(int(rng.integers(2)))
            px = max(book[0]) if aggressor is Side.SELL else min(book[1])
            made.trade(at_ns, aggressor, px, int(rng.integers(1, 400)))
        elif draw < 0.97:
            side = int(rng.integers(2))
            px = int(rng.choice(list(book[side])))
            book[side][px] = int(rng.integers(1, 600))
            made.book(
                at_ns, {px: book[0][px]} if side == 0 else {}, {px: book[1][px]} if side else {}
            )
        else:
            mid += int(rng.integers(-2, 3))
            moved = _levels(mid, rng)
            gone = [
                {p: 0 for p in old if p not in new} for old, new in zip(book, moved, strict=True)
            ]
            made.book(at_ns, gone[0] | moved[0], gone[1] | moved[1])
            book = moved
    return made


def _levels(mid: int, rng: np.random.Generator) -> tuple[Levels, Levels]:
    bids = {mid - 1 - i: int(rng.integers(1, 600)) for i in range(10)}
    asks = {mid + 1 + i: int(rng.integers(1, 600)) for i in range(10)}
    return bids, asks
