"""Ten-level snapshots: diffs between them, a snapshot each morning, trades of unknown side; and real rows."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mmd.core.market.record import DIFF, SNAPSHOT, TRADE
from mmd.errors import TapeError
from mmd.tape.format import AGGRESSOR_KNOWN
from mmd.tape.importers.etf import open_etf
from tests.recordings import recording
from tests.tapes import all_rows, books, imported


def _book(folder: Path, *rows: tuple[datetime, dict[int, float], dict[int, float]]) -> Path:
    """A snapshot file; levels are price in thousandths to size, best first."""
    columns: dict[str, list[object]] = {"Datetime": [when for when, _, _ in rows]}
    for side, name in ((1, "Bid"), (2, "Ask")):
        for n in range(10):
            levels = [list(row[side].items())[n : n + 1] or [(0, 0.0)] for row in rows]
            columns[f"{name}[{n}]"] = [level[0][0] / 1000 for level in levels]
            columns[f"{name}Qty[{n}]"] = [level[0][1] for level in levels]
    table = pa.table(columns).cast(
        pa.schema([(n, pa.timestamp("us") if n == "Datetime" else pa.float64()) for n in columns])
    )
    pq.write_table(table, folder / "snapshots.parquet")
    return folder / "snapshots.parquet"


def _trades(folder: Path, *rows: tuple[datetime, float, float]) -> Path:
    table = pa.table(
        {name: [row[n] for row in rows] for n, name in enumerate(("Datetime", "Price", "Volume"))}
    )
    pq.write_table(table, folder / "trades.parquet")
    return folder / "trades.parquet"


_MORNING = datetime(2020, 8, 3, 9, 30)  # noqa: DTZ001 - the exchange's wall clock
_NEXT_DAY = datetime(2020, 8, 4, 9, 30)  # noqa: DTZ001


def test_snapshots_become_a_book(tmp_path: Path) -> None:
    """A level that leaves is removed, an unchanged picture is left out, each morning begins anew."""
    files = [
        _book(
            tmp_path,
            (_MORNING, {3313: 500, 3312: 100}, {3314: 200}),
            (_MORNING.replace(second=3), {3313: 500, 3312: 100}, {3314: 200}),
            (_MORNING.replace(second=6), {3313: 400}, {3315: 900}),
            (_NEXT_DAY, {3000: 100}, {3001: 100}),
        ),
        _trades(tmp_path, (_MORNING.replace(second=3), 3.314, 200.0)),
    ]
    made, tape = imported(open_etf, files, tmp_path / "x.tape.parquet")
    rows = all_rows(tape)
    found = list(books(rows))
    assert [int(f["kind"][0]) for f, _ in found] == [SNAPSHOT, DIFF, SNAPSHOT]
    assert [book for _, book in found] == [
        ({3313: 5, 3312: 1}, {3314: 2}),
        ({3313: 4}, {3315: 9}),
        ({3000: 1}, {3001: 1}),
    ]
    assert made.left_out == {"snapshots that change nothing": 1}
    (trade,) = rows[rows["kind"] == TRADE]
    assert (trade["price_ticks"], trade["qty_lots"], trade["flags"] & AGGRESSOR_KNOWN) == (
        3314,
        2,
        0,
    )
    half_past_nine_ns = 1_596_418_200 * 10**9  # 09:30 in Shanghai, UTC+8
    assert rows["ts_event_ns"][0] == half_past_nine_ns
    at = tape.header.instrument
    assert (at.symbol, at.quote, at.tick_size, at.lot_size) == (
        "510050",
        "CNY",
        Decimal("0.001"),
        Decimal(100),
    )


def test_broken_files_are_refused(tmp_path: Path) -> None:
    """Other columns, no Parquet, times that go back, a book that is crossed: file and row, nothing left behind."""
    out = tmp_path / "x.tape.parquet"
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"Datetime": [1], "Open": [1.0]}), other)
    text = tmp_path / "text.parquet"
    text.write_text("Datetime,Price,Volume\n")
    early = _MORNING.replace(hour=8)
    cases = [
        (lambda: other, "expected columns Datetime"),
        (lambda: text, "expected a Parquet file"),
        (lambda: tmp_path / "none.parquet", "cannot be read"),
        (lambda: _trades(tmp_path, (_MORNING, 1.0, 1.0), (early, 1.0, 1.0)), r"row 2: expected times in order"),
        (lambda: _book(tmp_path, (_MORNING, {3315: 1}, {3314: 1})), r"row 1: expected the best bid below"),
    ]  # fmt: skip
    for make, message in cases:
        with pytest.raises(TapeError, match=message):
            imported(open_etf, [make()], out)
        assert not out.exists()


def test_real_rows_are_the_books_of_the_file(tmp_path: Path) -> None:
    """The first 3,000 snapshots: whenever the picture changes the tape's book is that picture."""
    file = pq.ParquetFile(recording("etf-510050/snapshots.parquet"))
    batch = next(file.iter_batches(3_000))
    path = tmp_path / "snapshots.parquet"
    pq.write_table(pa.Table.from_batches([batch]), path)
    _, tape = imported(
        open_etf, [path], tmp_path / "x.tape.parquet", tick=Decimal("0.001"), lot=Decimal(1)
    )
    pictures = []
    cells = {n: batch.column(n).to_numpy() for n in batch.schema.names if n != "Datetime"}
    for k in range(batch.num_rows):
        picture = tuple(
            {round(cells[f"{s}[{n}]"][k] * 1000): int(cells[f"{s}Qty[{n}]"][k]) for n in range(10) if cells[f"{s}Qty[{n}]"][k] > 0}
            for s in ("Bid", "Ask")
        )  # fmt: skip
        if not pictures or pictures[-1] != picture:
            pictures.append(picture)
    assert [book for _, book in books(all_rows(tape))] == pictures
    assert np.all(np.diff(all_rows(tape)["ts_recv_ns"]) >= 0)
