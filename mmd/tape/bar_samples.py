"""A tape through the live market kernels and the sampling clock: what predictors are trained on."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from mmd.core.learned import samples as bars
from mmd.core.learned.samples import CLOSED, RESTARTED, SAMPLES
from mmd.core.learned.schema import N
from mmd.core.market import book as books
from mmd.core.market import trade_flow, volatility
from mmd.core.market.features import FEATURES
from mmd.core.market.microprice import TOUCH
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT, TOP, TRADE
from mmd.core.quoting.inputs import observe
from mmd.errors import TapeError
from mmd.jit.kernel import F4, F8, I8, Rec, bind, kernel, layout, new
from mmd.tape.format import ROW, Rows
from mmd.tape.frames import BROKEN, CURSOR_FIELDS, END, next_frame
from mmd.tape.reader import Tape

FULL: Final = 1
CHUNK: Final = 65_536

SAMPLER = layout(("now_ns", "i8"), *CURSOR_FIELDS, ("n", "i8"))  # n: samples in the chunk at hand

SAMPLE = np.dtype(
    [
        ("end_ns", "i8"),
        ("bars", "i8"),
        ("mid", "f8"),
        ("bid", "i8"),
        ("ask", "i8"),
        ("x", "f4", (N,)),
    ]
)
"""One bar: its end in engine time, its number since the clock last started, mid and best prices in ticks, inputs."""


class BarSamples(NamedTuple):
    """All bars of a tape, n of them.

    Attributes:
        end_ns: shape (n,), engine time of each bar's end.
        bars: shape (n,), number since the sampling clock last started, from 1.
        mid: shape (n,), ticks.
        touch: shape (n, 2), best bid and ask in ticks.
        x: shape (n, N), inputs by mmd.core.learned.schema.
    """

    end_ns: I8
    bars: I8
    mid: F8
    touch: I8
    x: F4


@kernel
def play(  # noqa: PLR0913, PLR0917 - a record a component
    rows: Rec,
    sampler: Rec,
    market: Rec,
    book: Rec,
    features: Rec,
    flow: Rec,
    vol: Rec,
    touch: Rec,
    samples: Rec,
    out: Rec,
) -> int:
    """Apply frames as `MarketView` does, closing bars before each, until the batch ends or out is full.

    Returns: END at the end of the batch, FULL, or BROKEN at a frame without an end.
    """
    c, s = sampler[0], samples[0]
    while c.at < c.stop:
        c.now_ns = max(c.now_ns, rows[c.at].ts_recv_ns)
        while True:
            if c.n == out.shape[0]:
                return FULL
            status = bars.close(samples, features, flow, c.now_ns)
            if status == RESTARTED:
                continue
            if status != CLOSED:
                break
            row = out[c.n]
            row.end_ns, row.bars, row.mid = s.end_ns - s.bar_ns, s.bars, features[0].mid
            row.bid, row.ask = touch[0].bid, touch[0].ask
            for i in range(N):
                row.x[i] = s.x[i]
            c.n += 1
        kind = next_frame(rows, sampler, market)
        if kind <= END:
            return kind
        if kind == TRADE:
            trade_flow.on_trade(flow, market)
        elif kind in (SNAPSHOT, DIFF, TOP):
            status = books.apply_top(book, market) if kind == TOP else books.apply(book, market)
            if status in (books.OK, books.CROSSED, books.ONE_SIDED):
                observe(features, book, flow, vol, touch, c.now_ns)
    return END


def _chunks(tape: Tape, start_ns: int, end_ns: int, bar_ns: int) -> Iterator[Rec]:
    """Bars of a stretch of tape, at most CHUNK at a time. Raises: TapeError."""
    market, book, features = new(MARKET), new(books.BOOK), new(FEATURES)
    flow, vol, touch = new(trade_flow.TRADE_FLOW), new(volatility.VOLATILITY), new(TOUCH)
    sampler, samples = new(SAMPLER), new(SAMPLES)
    out = np.zeros(CHUNK, SAMPLE)
    volatility.configure(vol, sigma_prior=0.0)
    bars.start(samples, unix_less_engine_ns=0, bar_ns=bar_ns)
    bind(books.reset, book)(book)
    empty: Rows = np.empty(0, ROW)
    records = (sampler, market, book, features, flow, vol, touch, samples, out)
    run = bind(play, empty, *records)
    for rows in tape.batches(start_ns, end_ns):
        sampler["at"], sampler["stop"] = 0, len(rows)
        while (reached := run(rows, *records)) == FULL:
            yield out.copy()
            sampler["n"] = 0
        if reached == BROKEN:
            raise TapeError(
                f"{tape.path}: expected whole frames, found one without an end; make it again"
            )
    yield out[: int(sampler["n"][0])].copy()


def bar_samples(
    tape: Tape, start_ns: int = 0, end_ns: int = 2**63 - 1, bar_ns: int = bars.BAR_NS
) -> BarSamples:
    """Every bar between two receive times of a tape whose receive times count from 1970. Raises: TapeError."""
    found = np.concatenate(list(_chunks(tape, start_ns, end_ns, bar_ns)))
    touch = np.stack([found["bid"], found["ask"]], axis=1)
    return BarSamples(found["end_ns"], found["bars"], found["mid"], touch, found["x"])
