"""Tracks made by hand, and journals of sessions that a bench has really traded."""

from pathlib import Path

import numpy as np

from mmd.analytics.columns import DISTANCES_TICKS, FILL, ORDER, SAMPLE, STATE
from mmd.analytics.session import Track
from mmd.core.events import Fill, FundingPaid, OperatorAction
from mmd.core.flow.markout import HORIZONS
from mmd.core.units import InstrumentId, Side
from mmd.journal.writer import JournalWriter
from tests.driver_bench import DriverBench
from tests.ops_state import obey_all
from tests.session import instrument, session_spec

S = 1_000_000_000
LOT_ATOMS = 100_000
"""Base atoms in a lot of MMDUSDT: 0.001."""


def table(layout, rows):
    """Rows given as dicts; what is not named is 0."""
    made = np.zeros(len(rows), layout)
    for i, row in enumerate(rows):
        for name, value in row.items():
            made[name][i] = value
    return made


def fill(ts_s, sign, price_ticks, qty_lots, mid_half_ticks=20_000, fee=0.0, after=(), **more):
    """A fill; `after` are mids at the first horizons."""
    later = [*after, *[0] * (HORIZONS - len(after))]
    row = {"ts_ns": int(ts_s * S), "sign": sign, "price_ticks": price_ticks, "qty_lots": qty_lots}
    row |= {"mid_half_ticks": mid_half_ticks, "fee": fee, "mid_after_half_ticks": later}
    return row | {"is_maker": True} | more


def sample(ts_s, equity=0.0, lots=0, mid_half_ticks=20_000, **more):
    """A sample; the edge is all the equity unless told otherwise."""
    row = {"ts_ns": int(ts_s * S), "equity": equity, "edge": equity}
    row |= {"position_atoms": lots * LOT_ATOMS, "mid_half_ticks": mid_half_ticks}
    row |= {"bid_ticks": mid_half_ticks // 2 - 1, "ask_ticks": mid_half_ticks // 2 + 1}
    return row | {"quoted_lots": [0] * len(DISTANCES_TICKS)} | more


def track(fills=(), samples=(), orders=(), states=(), start_s=0.0, end_s=None, **of_instrument):
    """A track of MMDUSDT (tick 0.01, lot 0.001) over a span of unix seconds."""
    last_s = max([0.0, *(row["ts_ns"] / S for row in (*fills, *samples, *orders, *states))])
    return Track(
        instrument(**of_instrument),
        int(start_s * S),
        int((last_s if end_s is None else end_s) * S),
        table(FILL, fills),
        table(ORDER, orders),
        table(SAMPLE, samples),
        table(STATE, states),
        {},
    )


class RecordedSession:
    """A session on a random walk: fills in full and in part, rebates, fees in quote and base, a halt of 5 s."""

    def __init__(
        self, folder: Path, seconds: int, seed: int = 1, *, funding_atoms: int = 0, **spec
    ) -> None:
        rng = np.random.default_rng(seed)
        with JournalWriter(
            folder, session_spec(**spec), segment_bytes=1 << 20, sync_ns=10**7
        ) as journal:
            self.bench = bench = DriverBench(journal=journal)
            bench.driver.venues = [bench.venue]
            bench.bring_up()
            obey_all(bench)
            for step in range(4 * seconds):
                if step in {2 * seconds, 2 * seconds + 20}:
                    halts = step == 2 * seconds
                    bench.driver.operate(
                        OperatorAction.HALT if halts else OperatorAction.RESUME, "test"
                    )
                    obey_all(bench)
                if step == seconds and funding_atoms != 0:
                    bench.event(
                        FundingPaid(bench.now_ns, InstrumentId(0), funding_atoms, bench.now_ns)
                    )
                bench.pass_time(249)
                bench.shift(int(rng.integers(-3, 4)) if rng.random() < 0.15 else 0)
                if rng.random() < 0.15:
                    self._fill(rng)
                obey_all(bench)
                bench.pass_time(1)
                bench.tick()
                obey_all(bench)

    @property
    def maker(self):
        """The engine's, as the session left it."""
        return self.bench.real_engine.makers[0]

    def _fill(self, rng: np.random.Generator) -> None:
        bench = self.bench
        side = Side(int(rng.integers(0, 2)))
        if not any(order.side is side for order in bench.open.values()):
            return
        order = bench.best(side)
        lots = order.qty_lots if rng.random() < 0.5 else max(order.qty_lots // 2, 1)
        left = bench.maker.orders.get(order.client_order_id).leaves_lots
        lots = min(lots, left)
        fee, asset = ((500, "MMD"), (90_000, "USDT"), (-40_000, "USDT"))[int(rng.integers(0, 3))]
        bench.trades += 1
        bench.event(
            Fill(
                bench.now_ns,
                order.instrument,
                order.client_order_id,
                order.client_order_id,
                bench.trades,
                side,
                order.price_ticks,
                lots,
                True,
                fee,
                asset,
                bench.now_ns,
            )
        )
        if lots == left:
            del bench.open[order.client_order_id]
