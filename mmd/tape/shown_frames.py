"""Frames as something people can read: prices and quantities instead of ticks and lots."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mmd.core.instrument import Instrument
from mmd.core.market.record import PARTIAL, TRADE
from mmd.tape.format import (
    AFTER_GAP,
    AGGRESSOR_KNOWN,
    EMPTY,
    KIND_NAMES,
    LAST_IN_FRAME,
    OFF_BOOK,
    Rows,
)
from mmd.tape.reader import open_tape

_FLAGS = {AFTER_GAP: "after_gap", OFF_BOOK: "off_book"}
_SIDES = ("buy", "sell")


def shown_frames(path: Path, levels: int) -> Iterator[dict[str, Any]]:
    """Yield every frame of a tape, order events included, with so many levels a side. Raises: TapeError."""
    opened = open_tape(path)
    for rows in opened.batches():
        begin = 0
        for end in np.flatnonzero(rows["flags"] & LAST_IN_FRAME).tolist():
            yield _shown(rows[begin : end + 1], opened.header.instrument, levels)
            begin = end + 1


def _shown(rows: Rows, at: Instrument, levels: int) -> dict[str, Any]:
    head = rows[0]
    kind, flags = int(head["kind"]), int(np.bitwise_or.reduce(rows["flags"]))
    row: dict[str, Any] = {
        "kind": KIND_NAMES[kind],
        "ts_event_ns": int(head["ts_event_ns"]),
        "ts_recv_ns": int(head["ts_recv_ns"]),
    }
    if kind == TRADE or kind > PARTIAL:
        known = kind != TRADE or flags & AGGRESSOR_KNOWN
        row |= {"side": _SIDES[head["side"]] if known else "unknown", "id": int(head["first"])}
        row |= {"price": _text(at.price(int(head["price_ticks"])))}
        row |= {"qty": _text(at.qty(int(head["qty_lots"])))}
        if kind != TRADE:
            row["id"] = int(head["order_id"])
    else:
        row |= {name: int(head[name]) for name in ("first", "last", "prev")}
        named = rows[(rows["flags"] & EMPTY) == 0]
        for side, name in enumerate(("bids", "asks")):
            mine = named[named["side"] == side]
            pairs = zip(mine["price_ticks"].tolist(), mine["qty_lots"].tolist(), strict=True)
            row[name] = [[_text(at.price(p)), _text(at.qty(q))] for p, q in pairs][:levels]
            row[f"n_{name}"] = len(mine)
    return row | {name: True for flag, name in _FLAGS.items() if flags & flag}


def _text(value: object) -> str:
    return f"{value:f}"
