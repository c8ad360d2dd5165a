"""A tape through book, features and volatility in one compiled loop: for charts, checks and fast research."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from mmd.core.market import book as books
from mmd.core.market import trade_flow, volatility
from mmd.core.market.features import FEATURES
from mmd.core.market.microprice import TOUCH
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT, TOP, TRADE
from mmd.core.quoting.inputs import observe
from mmd.errors import TapeError
from mmd.jit.kernel import Rec, bind, kernel, layout, new
from mmd.tape.format import ROW, Rows
from mmd.tape.frames import BROKEN, CURSOR_FIELDS, END, next_frame
from mmd.tape.reader import Tape

_DUE: Final = 1

REPLAY = layout(
    *CURSOR_FIELDS,
    ("until_ns", "i8"),  # stop before the first frame received at or after this
    ("now_ns", "i8"),  # receive time of the last frame, never going back
    ("frames", "i8"),
    ("levels", "i8"),
    (
        "refused",
        "i8",
    ),  # diffs and tops that the book did not take: stale, after a gap, without a snapshot
    ("crossed", "i8"),
    ("trades", "i8"),
    ("lots", "i8", (2,)),  # traded, by aggressor
)


@kernel
def play(
    rows: Rec,
    replay: Rec,
    market: Rec,
    book: Rec,
    features: Rec,
    flow: Rec,
    vol: Rec,
    touch: Rec,
) -> int:
    """Apply frames of a batch until its end or `replay.until_ns`, as `MarketView` applies them live.

    Returns:
        END at the end of the batch, 1 when the time is reached, BROKEN at a frame without an end.
    """
    m, t = market[0], replay[0]
    while t.at < t.stop:
        if rows[t.at].ts_recv_ns >= t.until_ns:
            return _DUE
        kind = next_frame(rows, replay, market)
        if kind <= END:
            return kind
        t.now_ns = max(t.now_ns, m.ts_recv_ns)
        t.frames += 1
        t.levels += m.n[0] + m.n[1]
        if kind == TRADE:
            trade_flow.on_trade(flow, market)
            t.trades += 1
            t.lots[m.side] += m.sz[0, 0]
        elif kind in (SNAPSHOT, DIFF, TOP):
            status = books.apply_top(book, market) if kind == TOP else books.apply(book, market)
            if status in (books.OK, books.CROSSED, books.ONE_SIDED):
                observe(features, book, flow, vol, touch, t.now_ns)
                t.crossed += status == books.CROSSED
            else:
                t.refused += 1
    return END


class Sample(NamedTuple):
    """The market at one moment, in ticks and lots; 0 where a side is empty."""

    ts_ns: int
    bid: int
    ask: int
    bid_lots: int
    ask_lots: int
    depth_bid_lots: int
    depth_ask_lots: int
    """Of all levels that the view has, at most 20."""


class BookReplay:
    """Plays a tape once; its records are those of a live `MarketView`.

    Attributes:
        book, features, flow, vol, touch: kernel records as the last frame left them.
        tally: REPLAY record: frames, levels, trades, lots and what went wrong so far.
    """

    def __init__(self) -> None:
        self.book: Rec = new(books.BOOK)
        self.features: Rec = new(FEATURES)
        self.flow: Rec = new(trade_flow.TRADE_FLOW)
        self.vol: Rec = new(volatility.VOLATILITY)
        self.touch: Rec = new(TOUCH)
        self.tally: Rec = new(REPLAY)
        self._market: Rec = new(MARKET)
        volatility.configure(self.vol, sigma_prior=0.0)
        bind(books.reset, self.book)(self.book)
        empty: Rows = np.empty(0, ROW)
        self._play = bind(play, empty, *self._records())

    def run(self, tape: Tape) -> None:
        """Play all of it. Raises: TapeError if it is damaged."""
        self.tally["until_ns"] = 2**63 - 1
        for rows in tape.batches():
            self._begin(rows)
            self._step(rows, tape)

    def samples(self, tape: Tape, period_ns: int) -> Iterator[Sample]:
        """Play all of it, and yield the market at the end of every period in which something came.

        Raises: TapeError if the tape is damaged.
        """
        due_ns = tape.header.counts.first_ns + period_ns
        for rows in tape.batches():
            self._begin(rows)
            self.tally["until_ns"] = due_ns
            while self._step(rows, tape) == _DUE:
                yield self._sample(due_ns)
                next_ns = int(rows["ts_recv_ns"][self.tally["at"][0]])
                due_ns += ((next_ns - due_ns) // period_ns + 1) * period_ns
                self.tally["until_ns"] = due_ns
        yield self._sample(int(self.tally["now_ns"][0]))

    def _records(self) -> tuple[Rec, ...]:
        seen = (self.book, self.features, self.flow, self.vol, self.touch)
        return (self.tally, self._market, *seen)

    def _begin(self, rows: Rows) -> None:
        self.tally["at"], self.tally["stop"] = 0, len(rows)

    def _step(self, rows: Rows, tape: Tape) -> int:
        reached = self._play(rows, *self._records())
        if reached == BROKEN:
            raise TapeError(
                f"{tape.path}: expected whole frames, found one without an end; make it again"
            )
        return reached

    def _sample(self, ts_ns: int) -> Sample:
        book = self.book[0]
        n, px, sz = book["nview"].tolist(), book["vpx"], book["vsz"]
        best = [(int(px[s, 0]), int(sz[s, 0])) if n[s] > 0 else (0, 0) for s in range(2)]
        depth = [int(sz[s, : n[s]].sum()) for s in range(2)]
        return Sample(ts_ns, best[0][0], best[1][0], best[0][1], best[1][1], *depth)
