"""What a half-spread would have earned: quotes at a grid of distances at sample times, their fills, their markouts.

A quote stands for `life`; where the queue-aware fill model fills it, it earns its distance from the mid `markout`
later, less the maker fee, and otherwise nothing. The label of a sample is the half-spread that earned most on
average over the samples from there on: `reach_ns` is how far a label looks ahead.
"""

from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from mmd.core.market import book as books
from mmd.core.market.record import DIFF, MARKET, SNAPSHOT, TOP, TRADE
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import TapeError, TrainingError
from mmd.exchange.fills import phantoms as orders
from mmd.exchange.fills.phantoms import ALIVE_MAX, GRID_MAX, new_phantoms
from mmd.exchange.fills.record import FIFO, queue_model
from mmd.jit.kernel import F4, F8, I8, Rec, bind, kernel, layout, leaf, new
from mmd.tape.bar_samples import BarSamples
from mmd.tape.format import ROW, Rows
from mmd.tape.frames import BROKEN, CURSOR_FIELDS, END, next_frame
from mmd.tape.reader import Tape, open_tape
from models.labels import spans

HALF_SPREAD_MIN_BPS, HALF_SPREAD_MAX_BPS = 1.0, 100.0
_GRID: Final = 12
_REACHED: Final = 0.995
"""The widest half-spread of the grid is one that the price gets past once in two hundred lives of a quote."""

Flags = np.ndarray[tuple[int], np.dtype[np.bool_]]
FOLLOWER = layout(("now_ns", "i8"), *CURSOR_FIELDS, ("next", "i8"))  # next: sample without quotes


class LabelSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of each sample."""

    every: int = 10
    """Bars from one sample to the next."""
    life_ns: int = 5 * NANOS_PER_SECOND
    """How long quotes stand."""
    markout_ns: int = 5 * NANOS_PER_SECOND
    """How long after a fill it is valued."""
    latency_ns: int = 5_000_000
    """From a decision until its quotes stand."""
    smoothing: int = 300
    """Samples, this one and those after it, over which the edge of each half-spread is averaged."""
    queue: str = "power"
    """Queue model; see mmd.exchange.fills.record.QUEUE_MODELS."""
    maker_fee_bps: float = 0.0

    def reach_ns(self, bar_ns: int) -> int:
        """How far a label looks ahead."""
        ahead_ns = (self.smoothing - 1) * self.every * bar_ns
        return self.latency_ns + self.life_ns + self.markout_ns + ahead_ns


class SpreadData(NamedTuple):
    """Samples in time order, and what each half-spread earned from there: n samples, g half-spreads.

    Attributes:
        end_ns: shape (n,), when each sample was taken.
        x: shape (n, N), inputs by mmd.core.learned.schema.
        mid: shape (n,), ticks.
        half_spreads_bps: shape (g,), rising.
        fill_share: shape (n, g), filled quotes of the two, 0 to 1.
        edge_bps: shape (n, g), earned by a pair of quotes, half of it a quote; NaN where the data has a hole.
        smooth_bps: shape (n, g), the same averaged over this and the following samples; NaN where unknown.
        label_bps: shape (n,), the half-spread of the best average; NaN where unknown.
    """

    end_ns: I8
    x: F4
    mid: F8
    half_spreads_bps: F8
    fill_share: F8
    edge_bps: F8
    smooth_bps: F8
    label_bps: F8

    def part(self, at: slice) -> "SpreadData":
        """A stretch of it."""
        grid = self.half_spreads_bps
        cut = {k: v[at] for k, v in self._asdict().items() if k != "half_spreads_bps"}
        return SpreadData(half_spreads_bps=grid, **cut)


@leaf
def _quote_until(phantoms: Rec, book: Rec, c: Rec, decided_ns: I8, mids: F8, now_ns: int) -> None:
    """Place the quotes of all samples whose requests arrive before now."""
    latency_ns = phantoms[0].latency_ns
    while c.next < len(decided_ns) and decided_ns[c.next] + latency_ns < now_ns:
        orders.expire(phantoms, decided_ns[c.next] + latency_ns)
        orders.quote(phantoms, book, mids[c.next], decided_ns[c.next])
        c.next += 1


@kernel
def follow(
    rows: Rec,
    follower: Rec,
    market: Rec,
    book: Rec,
    phantoms: Rec,
    decided_ns: I8,
    mids: F8,
    fill_ns: I8,
) -> int:
    """Apply frames to the book and to the quotes placed at the samples' times until the batch ends.

    Returns: END, or BROKEN at a frame without an end.
    """
    c = follower[0]
    while c.at < c.stop:
        c.now_ns = max(c.now_ns, rows[c.at].ts_recv_ns)
        _quote_until(phantoms, book, c, decided_ns, mids, c.now_ns)
        orders.expire(phantoms, c.now_ns)
        kind = next_frame(rows, follower, market)
        if kind <= END:
            return kind
        if kind == TRADE:
            orders.on_print(phantoms, market, c.now_ns, fill_ns)
        elif kind in (SNAPSHOT, DIFF, TOP):
            orders.on_depth(phantoms, book, market, c.now_ns, fill_ns)
    return END


def fill_times(tape: Tape, decided_ns: I8, mids: F8, grid_bps: F8, settings: LabelSettings) -> I8:
    """When quotes at each half-spread would have been filled.

    Args:
        tape: whose receive times count as those of the samples.
        decided_ns: shape (n,), sample times, rising.
        mids: shape (n,), ticks, as known then.
        grid_bps: shape (g,), half-spreads.
        settings: see LabelSettings.

    Returns:
        Shape (n, 2, g), 0 where a quote was not filled.

    Raises:
        TapeError: A tape that cannot be read.
        TrainingError: More quotes at a time than there is room for.
    """
    _check_room(decided_ns, settings)
    phantoms = new_phantoms(
        tape.header.instrument,
        tuple(grid_bps.tolist()),
        model=queue_model(settings.queue),
        life_ns=settings.life_ns,
        latency_ns=settings.latency_ns,
    )
    follower, market, book = new(FOLLOWER), new(MARKET), new(books.BOOK)
    bind(books.reset, book)(book)
    fill_ns = np.zeros((len(decided_ns), 2, GRID_MAX), np.int64)
    records = (follower, market, book, phantoms, decided_ns, mids, fill_ns)
    empty: Rows = np.empty(0, ROW)
    run = bind(follow, empty, *records)
    for rows in tape.batches():
        follower["at"], follower["stop"] = 0, len(rows)
        if run(rows, *records) == BROKEN:
            raise TapeError(
                f"{tape.path}: expected whole frames, found one without an end; make it again"
            )
    return fill_ns[:, :, : len(grid_bps)]


def _check_room(decided_ns: I8, settings: LabelSettings) -> None:
    if queue_model(settings.queue) == FIFO:
        raise TrainingError("queue model fifo needs every order's id: choose another, e.g. power")
    alive = np.arange(len(decided_ns)) - np.searchsorted(decided_ns, decided_ns - settings.life_ns)
    if len(alive) and int(alive.max()) + 1 > ALIVE_MAX:
        raise TrainingError(
            f"quotes of {int(alive.max()) + 1} samples stand at a time, expected at most {ALIVE_MAX}: "
            "sample every more bars, or let quotes stand for less long"
        )


def earned(
    fill_ns: I8, decided_ns: I8, mids: F8, grid_bps: F8, bars: BarSamples, settings: LabelSettings
) -> F8:
    """Edge of each pair of quotes at the markout, net of fees, in bps of the mid at the decision.

    Returns:
        Shape (n, g): mean of both sides, 0 where neither was filled, NaN where the bars have a hole before the
        last markout that could be.
    """
    sides = np.array([1.0, -1.0])[:, None]
    away = mids[:, None, None] * (1.0 - sides * grid_bps * 1e-4)
    price = np.where(sides > 0, np.floor(away), np.ceil(away))
    later = np.searchsorted(bars.end_ns, fill_ns + settings.markout_ns)
    value = bars.mid[np.minimum(later, len(bars.mid) - 1)]
    gain = sides * (value - price) / mids[:, None, None] * 1e4 - settings.maker_fee_bps
    edge = np.where(fill_ns > 0, gain, 0.0).mean(axis=1)
    edge[~_is_whole(decided_ns, bars, settings)] = np.nan
    out: F8 = edge
    return out


def _is_whole(decided_ns: I8, bars: BarSamples, settings: LabelSettings) -> Flags:
    """Whether the sampling clock ran on from each sample to its last possible markout."""
    ahead_ns = settings.latency_ns + settings.life_ns + settings.markout_ns
    span = np.cumsum(np.diff(bars.bars, prepend=2**62) <= 0)
    first = np.searchsorted(bars.end_ns, decided_ns)
    last = np.searchsorted(bars.end_ns, decided_ns + ahead_ns)
    inside = last < len(bars.end_ns)
    whole: Flags = inside & (span[first] == span[np.minimum(last, len(span) - 1)])
    return whole


def best_half_spreads(edge_bps: F8, grid_bps: F8, smoothing: int) -> tuple[F8, F8]:
    """Average over `smoothing` samples from each on, and the half-spread that is best by it.

    Of equals the wider; where nothing earns, the widest.

    Returns:
        Averages, shape (n, g), and half-spreads, shape (n,); NaN where an average is not known.
    """
    total = np.cumsum(np.vstack([np.zeros_like(edge_bps[:1]), np.nan_to_num(edge_bps)]), axis=0)
    holes = np.concatenate([[0], np.cumsum(np.isnan(edge_bps[:, 0]))])
    n = len(edge_bps)
    first = np.arange(n)
    last = np.minimum(first + smoothing, n)
    average = (total[last] - total[first]) / smoothing
    average[(first + smoothing > n) | (holes[last] > holes[first])] = np.nan
    widest = average.shape[1] - 1
    rounded = np.round(np.nan_to_num(average), 9)  # sums of equals differ in the last bits
    best = widest - np.argmax(rounded[:, ::-1], axis=1)
    best = np.where(rounded.max(axis=1) > 0.0, best, widest)
    label = np.where(np.isnan(average[:, 0]), np.nan, grid_bps[best])
    return average, label


def spread_grid(bars: BarSamples, bar_ns: int, life_ns: int) -> F8:
    """Half-spreads from 1 bps (half a tick where that is more) to what the price moves once in 200 lives, bps."""
    steps = max(round(life_ns / bar_ns), 1)
    moved = [np.abs(bars.mid[s][steps:] / bars.mid[s][:-steps] - 1.0) for s in spans(bars.bars)]
    far = 1e4 * float(np.quantile(np.concatenate(moved), _REACHED))
    touch = 1e4 * np.median((bars.touch[:, 1] - bars.touch[:, 0]) / bars.mid) / 2.0
    tick = 1e4 / float(np.median(bars.mid))
    low = float(np.clip(tick / 2.0, HALF_SPREAD_MIN_BPS, HALF_SPREAD_MAX_BPS / 4.0))
    high = float(np.clip(far + touch, 4.0 * low, HALF_SPREAD_MAX_BPS))
    return np.round(np.geomspace(low, high, _GRID), 4)


def spread_data(tape: Tape, bars: BarSamples, grid_bps: F8, settings: LabelSettings) -> SpreadData:
    """Label every `every`-th bar of a tape. Raises: TapeError, TrainingError."""
    at = np.flatnonzero(bars.bars % settings.every == 0)
    decided_ns, mids = bars.end_ns[at], bars.mid[at]
    fill_ns = fill_times(tape, decided_ns, mids, grid_bps, settings)
    edge = earned(fill_ns, decided_ns, mids, grid_bps, bars, settings)
    smooth, label = best_half_spreads(edge, grid_bps, settings.smoothing)
    share = (fill_ns > 0).mean(axis=1)
    return SpreadData(decided_ns, bars.x[at], mids, grid_bps, share, edge, smooth, label)


def maker_fee_bps(tape: Path) -> float:
    """What a maker pays on the instrument of a tape; negative for a rebate. Raises: TapeError."""
    return float(open_tape(tape).header.instrument.maker_fee_bps)
