"""How far each queue model is from the truth: python -m tests.bench.queue_error TAPE, an order-by-order tape.

Every minute an order of one lot joins the best bid and one the best ask, under every model at once, and stays for a
minute. Each second the lots that a model believes to be ahead are compared with those that are.
"""

import sys
from pathlib import Path

import numpy as np

from mmd.backtest.feed import FILLED, NEVER
from mmd.backtest.tape_feed import TapeFeed
from mmd.core.commands import CancelAll, PlaceOrder
from mmd.core.events import Fill
from mmd.core.units import ATOMS_PER_UNIT, ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.exchange.fills.fill_exchange import FillExchange
from mmd.exchange.fills.latency import constant, new_latency
from mmd.exchange.fills.record import queue_model
from mmd.tape.reader import Tape, open_tape

SECOND_NS = 1_000_000_000
LIFE_S = 60
WARM_UP_S = 3600
ZERO = InstrumentId(0)
MODELS = (
    ("risk_averse", 1.0),
    ("power", 1.0),
    ("power", 2.0),
    ("power", 3.0),
    ("log", 1.0),
    ("front", 1.0),
)


class Market:
    """One model's exchange and its way through the tape."""

    def __init__(self, tape: Tape, model: str, exponent: float) -> None:
        at = tape.header.instrument
        plenty = {at.base: 10**6 * ATOMS_PER_UNIT, at.quote: 10**12 * ATOMS_PER_UNIT}
        self.exchange = FillExchange(at, plenty, model=queue_model(model), exponent=exponent)
        delay = new_latency(constant(0), np.random.default_rng(0))
        self.feed = TapeFeed(tape, self.exchange, delay)
        self.filled: set[int] = set()

    def play(self, until_ns: int) -> bool:
        """Go on; False at the end of the tape."""
        while True:
            code = self.feed.advance(until_ns)
            if code == FILLED:
                self.filled |= {
                    e.client_order_id for e in self.exchange.collect() if isinstance(e, Fill)
                }
            elif self.feed.due_ns > until_ns:
                return self.feed.due_ns != NEVER

    def place(self, number: int, side: Side, price: int, now_ns: int) -> None:
        """Join a queue."""
        order = PlaceOrder(ZERO, ClientOrderId(number), side, price, 1, TimeInForce.POST_ONLY)
        list(self.exchange.receive(order, now_ns))

    def ahead(self) -> dict[int, float]:
        """Lots ahead of each order that rests."""
        record = self.exchange.fills[0]
        return {
            int(record["id"][side, slot]): float(record["ahead"][side, slot])
            for side in Side
            for slot in range(int(record["n"][side]))
        }


def measure(tape: Tape, hours: float) -> list[tuple[str, ...]]:
    """A row a model: mean error and mean absolute error as shares of the queue at arrival, fills in a minute."""
    exact = Market(tape, "fifo", 1.0)
    models = [Market(tape, name, n) for name, n in MODELS]
    errors: list[list[float]] = [[] for _ in models]
    start_ns = tape.header.counts.first_ns + WARM_UP_S * SECOND_NS
    number, joined = 0, {}
    for second in range(int(hours * 3600)):
        now_ns = start_ns + second * SECOND_NS
        at_end = [not market.play(now_ns) for market in (exact, *models)]
        if any(at_end):
            break
        if second % LIFE_S == 0:
            for market in (exact, *models):
                list(market.exchange.receive(CancelAll(ZERO), now_ns))
            book = exact.exchange.book[0]
            for side in Side:
                number += 1
                for market in (exact, *models):
                    market.place(number, side, int(book["px"][side, 0]), now_ns)
            joined = exact.ahead()
        truth = exact.ahead()
        for market, found in zip(models, errors, strict=True):
            for order, ahead in market.ahead().items():
                if order in truth and joined.get(order, 0.0) > 0.0:
                    found.append((ahead - truth[order]) / joined[order])
    rows = [
        (
            f"{name} n={n:g}" if name == "power" else name,
            f"{np.mean(found):+.3f}",
            f"{np.mean(np.abs(found)):.3f}",
            f"{len(market.filled)}",
        )
        for (name, n), market, found in zip(MODELS, models, errors, strict=True)
    ]
    return [*rows, ("fifo (truth)", "0", "0", f"{len(exact.filled)} of {number}")]


def main() -> None:
    """Print the table as Markdown."""
    tape = open_tape(Path(sys.argv[1]))
    hours = float(sys.argv[2]) if len(sys.argv) > 2 else 100.0
    print("| queue model | mean error | mean absolute error | orders filled |\n|---|---|---|---|")
    for row in measure(tape, hours):
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
