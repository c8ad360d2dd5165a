"""A tape as hftbacktest events: level 2 from its book rows, or level 3 from its order rows, and its trades.

hftbacktest wants no negative latency and each clock in order by itself. So where the clocks disagree all receive
times are moved by one constant, and an event that reached the exchange's clock out of order is split in two,
one valid at the exchange and one here, as its own converters do.
"""

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mmd.core.market.record import DIFF, PARTIAL, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape import hftbacktest_events as hft
from mmd.tape.format import AGGRESSOR_KNOWN, EMPTY, OFF_BOOK, Rows
from mmd.tape.hftbacktest_orders import OrderEvents
from mmd.tape.reader import Tape

_TYPES = {DIFF: hft.DEPTH, SNAPSHOT: hft.DEPTH_SNAPSHOT, TOP: hft.BEST, TRADE: hft.TRADED}


class Exported(NamedTuple):
    """What an export made."""

    events: int
    shift_ns: int
    """By how much receive times were moved so that none is before its event."""
    split: int
    """Events that came in another order than the exchange's clock says."""
    left_out: dict[str, int]


def export_hftbacktest(tape: Tape, out: Path, *, level: int = 2) -> Exported:
    """Write a tape as `data` of an npz; the whole array is in memory, as it is for hftbacktest.

    Args:
        tape: any tape; level 3 needs order rows.
        out: file to write; it appears once it is whole.
        level: 2 for the book, 3 for the orders; trades are in both.

    Raises:
        TapeError: The tape has nothing of that level, or out cannot be written.
    """
    assert level in (2, 3), f"expected level 2 or 3, found {level}"
    left_out: dict[str, int] = {}
    at = tape.header.instrument
    scale = (float(at.tick_size), float(at.lot_size))
    orders = OrderEvents(scale)
    to_events = orders.events if level == 3 else lambda rows: _level_2(rows, scale, left_out)
    events = np.concatenate([np.empty(0, hft.EVENT), *map(to_events, tape.batches())])
    if len(events) == 0:
        what = "order events" if level == 3 else "book or trade frames"
        raise TapeError(f"{tape.path}: expected {what}, found none; try another --level")
    _fill_event_times(events)
    shift_ns = max(int((events["exch_ts"] - events["local_ts"]).max()), 0)
    events["local_ts"] += shift_ns
    ordered = in_both_orders(events)
    _save(out, ordered)
    return Exported(len(ordered), shift_ns, len(ordered) - len(events), left_out)


def _level_2(rows: Rows, scale: tuple[float, float], left_out: dict[str, int]) -> hft.Events:
    """Book and trade rows of a batch, a clear before every snapshot."""
    kind, flags = rows["kind"], rows["flags"]
    off_book = (kind == TRADE) & ((flags & OFF_BOOK) != 0)
    for name, mask in (
        ("off-book trades", off_book),
        ("rows of partial books", kind == PARTIAL),
        ("order rows", kind > PARTIAL),
        ("diffs without levels", (kind == DIFF) & ((flags & EMPTY) != 0)),
    ):
        if mask.any():
            left_out[name] = left_out.get(name, 0) + int(mask.sum())
    used = np.isin(kind, list(_TYPES)) & ~off_book & ((flags & EMPTY) == 0)
    begins = kind == SNAPSHOT
    begins[1:] &= (rows["last"][1:] != rows["last"][:-1]) | (kind[1:] != kind[:-1])
    index = np.concatenate([np.flatnonzero(begins), np.flatnonzero(used)])
    is_clear = np.arange(len(index)) < begins.sum()
    order = np.lexsort((~is_clear, index))
    index, is_clear = index[order], is_clear[order]
    events = plain_events(rows[index], scale)
    events["ev"] |= _types(rows[index])
    events["ev"][is_clear] = hft.CLEAR
    for name in ("px", "qty"):
        events[name][is_clear] = 0
    return events


def _types(rows: Rows) -> npt.NDArray[np.uint64]:
    """Type and side bits of book and trade rows."""
    lookup = np.zeros(PARTIAL + 1, np.uint64)
    for kind, code in _TYPES.items():
        lookup[kind] = code
    sides = np.array(hft.SIDE_FLAGS, np.uint64)[rows["side"]]
    is_signed = (rows["kind"] != TRADE) | ((rows["flags"] & AGGRESSOR_KNOWN) != 0)
    bits: npt.NDArray[np.uint64] = lookup[rows["kind"]] | np.where(is_signed, sides, np.uint64(0))
    return bits


def plain_events(rows: Rows, scale: tuple[float, float]) -> hft.Events:
    """Events with the rows' times, prices, quantities and ids, and nothing in `ev` yet."""
    events = np.zeros(len(rows), hft.EVENT)
    events["exch_ts"] = rows["ts_event_ns"]
    events["local_ts"] = rows["ts_recv_ns"]
    events["px"] = rows["price_ticks"] * scale[0]
    events["qty"] = rows["qty_lots"] * scale[1]
    events["order_id"] = rows["order_id"]
    events["ival"] = np.where(rows["kind"] == TRADE, rows["first"], rows["last"])
    return events


def _fill_event_times(events: hft.Events) -> None:
    """Give events without a time of the venue's the latest one before them.

    Those before the first known one get its latency; where none is known, receive times stand for all.
    """
    known = events["exch_ts"] > 0
    if not known.any():
        events["exch_ts"] = events["local_ts"]
        return
    first = int(np.argmax(known))
    latency_ns = events["local_ts"][first] - events["exch_ts"][first]
    events["exch_ts"][:first] = events["local_ts"][:first] - latency_ns
    known[:first] = True
    latest = np.maximum.accumulate(np.where(known, np.arange(len(events)), 0))
    events["exch_ts"] = events["exch_ts"][latest]


def in_both_orders(events: hft.Events) -> hft.Events:
    """Events by receive time, those that are late by the exchange's clock split in two."""
    by_local = events[np.argsort(events["local_ts"], kind="stable")]
    exch = by_local["exch_ts"]
    late = exch < np.maximum.accumulate(exch)
    both = np.uint64(hft.AT_EXCHANGE | hft.AT_LOCAL)
    by_local["ev"] |= np.where(late, np.uint64(hft.AT_LOCAL), both)
    if not late.any():
        return by_local
    timely = np.flatnonzero(~late)
    copies = by_local[late]
    copies["ev"] ^= both  # valid at the exchange only
    after = np.searchsorted(exch[timely], copies["exch_ts"], side="right")
    before_row = np.append(timely, len(by_local))[after]
    place = np.concatenate([np.arange(len(by_local)), before_row])
    is_kept = np.concatenate([np.ones(len(by_local), bool), np.zeros(len(copies), bool)])
    together = np.concatenate([by_local, copies])
    return together[np.lexsort((together["exch_ts"] * ~is_kept, is_kept, place))]


def _save(out: Path, events: hft.Events) -> None:
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez_compressed(file, data=events)
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TapeError(
            f"{out}: cannot be written ({error.strerror}); name another file"
        ) from error
