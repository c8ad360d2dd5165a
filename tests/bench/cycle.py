"""A complete cycle on virtual time: market updates, decisions, fills, timers, against the generated exchange.

The engine is the daemon's own; what is timed is each of its calls, on the wall clock. It runs in a process of its own,
whose memory is then the engine's and the exchange's together: an upper bound of the engine's.
"""

import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from rich.table import Table

from mmd.core.commands import Approved, Command, PlaceOrder
from mmd.core.engine import Engine
from mmd.core.events import Decision, Event, Fill, Timer
from mmd.core.units import ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.exchange.presets import DEFAULT
from tests.bench.quantiles import row
from tests.simulated_worlds import scenario

UPDATES = 10_000
DECISIONS = 1_000
CHECKS = 1_000
WARM_UP_S = 20.0
_STEP_S = 5.0
_STAGES = {
    "book update": 1e6,
    "quote generation": 1e6,
    "fill processing": 5e5,
    "risk check of an order": 5e4,
    "timer with a judgement of fills": 1e6,
}
"""What is timed, and the nanoseconds that its p99 must stay below."""
MEMORY_MIB_MAX = 300.0
_BUSY = msgspec.structs.replace(DEFAULT, market_rate=4.0, market_lots=4_000.0)
"""The default market with more trades, so that there are fills to be timed."""


class _Timed:
    """An engine whose calls are timed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.ns: dict[str, list[int]] = {name: [] for name in _STAGES}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def apply_market(self, market: Any) -> None:
        began = time.perf_counter_ns()
        self._engine.apply_market(market)
        self.ns["book update"].append(time.perf_counter_ns() - began)

    def apply(self, event: Event) -> None:
        began = time.perf_counter_ns()
        self._engine.apply(event)
        took = time.perf_counter_ns() - began
        if isinstance(event, Fill):
            self.ns["fill processing"].append(took)
        elif isinstance(event, Timer):
            self.ns["timer with a judgement of fills"].append(took)

    def decide(self, decision: Decision) -> Iterator[Approved[Command]]:
        began = time.perf_counter_ns()
        approved = list(self._engine.decide(decision))
        self.ns["quote generation"].append(time.perf_counter_ns() - began)
        yield from approved


def measure() -> dict[str, Any]:
    """Run the cycle in this process."""
    at = scenario(
        seed=7,
        preset=_BUSY,
        quoting__requote_tolerance_bps="1",
        risk__orders_per_10s="1000000",
        risk__orders_per_day="100000000",
        risk__messages_per_minute="100000000",
        risk__position_notional_max="5000",
    )
    at.world.run(WARM_UP_S)
    at.trader.on_settled = None
    timed = _Timed(at.trader.engine)
    at.trader.engine = timed  # type: ignore[assignment]
    gc.collect()
    gc.freeze()
    gc.disable()
    ns = timed.ns
    while len(ns["book update"]) < UPDATES or len(ns["quote generation"]) < DECISIONS:
        at.world.run(_STEP_S)
    ns["risk check of an order"] = _checks(timed)
    gc.enable()
    at.invariants.check(at.trader)
    return {"ns": ns, "rss_mib": _resident_mib(), "seconds": at.world.elapsed_s}


def _checks(engine: Any) -> list[int]:
    """The gate's verdict on an order behind the market, as it would be asked for a hedge."""
    maker = engine.makers[0]
    maker.settle_risk()
    price = maker.view.bid_ticks - 5
    took = []
    for number in range(CHECKS):
        # An id that was used before: every check up to that one is made, and nothing is approved.
        command = PlaceOrder(
            InstrumentId(0),
            ClientOrderId(1),
            Side.BUY,
            price,
            1_000 + number,
            TimeInForce.POST_ONLY,
        )
        began = time.perf_counter_ns()
        engine.gate.check(command, maker.risk)
        took.append(time.perf_counter_ns() - began)
    return took


def _resident_mib() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return float(line.split()[1]) / 1024
    return float("nan")


def table() -> Table:
    """The cycle in a process of its own, as a table with its limits."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.cycle"], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    out = Table(title="A cycle on virtual time: wall time of each call (µs)")
    for column in ("call", "calls", "p50", "p90", "p99", "p99 below"):
        out.add_column(column, justify="left" if column == "call" else "right")
    for name, limit_ns in _STAGES.items():
        samples = found["ns"][name]
        out.add_row(name, f"{len(samples):,}", *row(samples), f"{limit_ns / 1e3:,.0f}")
    out.caption = (
        f"{found['seconds']:.0f} s of market; memory of the process, exchange included: "
        f"{found['rss_mib']:.0f} MiB (below {MEMORY_MIB_MAX:.0f})"
    )
    return out


if __name__ == "__main__":
    print(json.dumps(measure()))
