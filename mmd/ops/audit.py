"""Writes the top of the book at every update id, so that anyone can check it with a program of their own."""

from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from mmd.core.engine import Engine
from mmd.core.market.record import DIFF, SNAPSHOT
from mmd.core.units import Side
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec
from mmd.ops.snapshot import top_levels

_encode = msgspec.json.Encoder().encode


class BookAudit:
    """One JSON line per applied depth update.

    Keys: symbol, update_id, and bids and asks as [price, quantity] in exact decimals, best first.
    """

    def __init__(self, path: Path, engine: Engine) -> None:
        """Open the file. Raises: ConfigError if it cannot be written."""
        try:
            self._out = path.open("wb")
        except OSError as error:
            raise ConfigError(f"--book-audit {path}: cannot write it ({error.strerror})") from error
        self._engine = engine
        self._last_ids = [0] * len(engine.makers)

    def on_market_applied(self, market: Rec) -> None:
        """Write a line if the record moved the book."""
        if int(market["kind"][0]) not in (DIFF, SNAPSHOT):
            return
        maker = self._engine.makers[int(market["instrument"][0])]
        book = maker.view.book
        update_id = int(book["last"][0])
        if not book["synced"][0] or update_id == self._last_ids[maker.instrument.id]:
            return
        self._last_ids[maker.instrument.id] = update_id
        row = {
            "symbol": maker.instrument.symbol,
            "update_id": update_id,
            "bids": top_levels(maker, Side.BUY),
            "asks": top_levels(maker, Side.SELL),
        }
        self._out.write(_encode(row) + b"\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._out.close()
