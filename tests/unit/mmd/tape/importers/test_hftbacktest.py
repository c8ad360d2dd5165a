"""hftbacktest arrays of other makers: clears, snapshots by level, both clocks; and what is no such array."""

from pathlib import Path

import numpy as np
import pytest

from mmd.core.market.record import DIFF, SNAPSHOT, TOP, TRADE
from mmd.errors import TapeError
from mmd.tape import hftbacktest_events as hft
from mmd.tape.importers.hftbacktest import open_hftbacktest
from tests.tapes import all_rows, books, imported

_BOTH = hft.AT_EXCHANGE | hft.AT_LOCAL
_BID, _ASK = _BOTH | hft.BUY, _BOTH | hft.SELL


def _events(*rows: tuple[int, int, float, float]) -> np.ndarray:
    """(ev, local time, price, quantity); the exchange's time is 5 ns before."""
    made = np.zeros(len(rows), hft.EVENT)
    for n, (ev, local_ns, price, qty) in enumerate(rows):
        made[n] = (ev, local_ns - 5, local_ns, price, qty, 0, 0, 0.0)
    return made


_ARRAY = _events(
    (_BID | hft.CLEAR, 100, 99.0, 0.0),
    (_BID | hft.DEPTH_SNAPSHOT, 100, 100.1, 3.0),
    (_BID | hft.DEPTH_SNAPSHOT, 100, 99.0, 1.0),
    (_ASK | hft.CLEAR, 100, 101.0, 0.0),
    (_ASK | hft.DEPTH_SNAPSHOT, 100, 100.3, 0.3),
    (_BOTH | hft.BUY | hft.TRADED, 110, 100.3, 0.1),
    (_ASK | hft.DEPTH, 120, 100.3, 0.2),
    (hft.AT_EXCHANGE | hft.SELL | hft.DEPTH, 125, 100.3, 0.5),
    (_BID | hft.DEPTH, 130, 100.1, 0.0),
    (_BID | hft.DEPTH, 130, 100.0, 2.0),
    (_BID | hft.BEST, 140, 100.0, 2.0),
    (_ASK | hft.BEST, 140, 100.3, 0.2),
    (_BID | hft.CLEAR, 150, 99.5, 0.0),
    (_BOTH | hft.TRADED, 160, 99.0, 0.1),
)


def _file(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez_compressed(folder / "btcusdt_20240808.npz", **arrays)
    return folder / "btcusdt_20240808.npz"


def test_a_converted_feed_becomes_a_tape(tmp_path: Path) -> None:
    """Clears take levels away down to their price; what is valid at the exchange only is left out and counted."""
    made, tape = imported(
        open_hftbacktest, [_file(tmp_path, data=_ARRAY)], tmp_path / "x.tape.parquet"
    )
    rows = all_rows(tape)
    found = [(int(f["kind"][0]), book) for f, book in books(rows)]
    assert [kind for kind, _ in found] == [SNAPSHOT, DIFF, DIFF, DIFF, TOP, DIFF]
    assert [book for _, book in found[:4]] == [
        ({1001: 30, 990: 10}, {}),
        ({1001: 30, 990: 10}, {1003: 3}),
        ({1001: 30, 990: 10}, {1003: 2}),
        ({990: 10, 1000: 20}, {1003: 2}),
    ]
    assert made.left_out == {"events for the exchange only": 1}
    assert rows[rows["kind"] == TRADE]["price_ticks"].tolist() == [1003, 990]
    assert (tape.header.instrument.symbol, tape.header.instrument.quote) == ("BTCUSDT", "USDT")
    assert rows["ts_event_ns"][0] == 95


def test_a_partial_clear_keeps_what_is_beyond_it(tmp_path: Path) -> None:
    """Bids down to 99.5 go; the one at 99.0 stays: the frame names only what changed."""
    _, tape = imported(
        open_hftbacktest, [_file(tmp_path, data=_ARRAY)], tmp_path / "x.tape.parquet"
    )
    rows = all_rows(tape)
    last = rows[(rows["kind"] == DIFF) & (rows["ts_recv_ns"] == 150)]
    assert last[["side", "price_ticks", "qty_lots"]].tolist() == [(0, 1000, 0)]


def test_a_plain_npy_is_read_too(tmp_path: Path) -> None:
    """In blocks, like the zip."""
    np.save(tmp_path / "x.npy", _ARRAY)
    _, tape = imported(open_hftbacktest, [tmp_path / "x.npy"], tmp_path / "x.tape.parquet")
    _, zipped = imported(
        open_hftbacktest, [_file(tmp_path, data=_ARRAY)], tmp_path / "y.tape.parquet"
    )
    assert np.array_equal(all_rows(tape), all_rows(zipped))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: _file(folder, other=_ARRAY), "expected an array 'data', found other.npy"),
        (lambda folder: _file(folder, data=np.zeros(3)), "expected one row of events with fields ev"),
        (lambda folder: _file(folder, data=_ARRAY.reshape(2, 7)), "of shape"),
        (lambda folder: _file(folder, data=_events((_BOTH | hft.DEPTH, 1, 1.0, 1.0))), "event 1: expected BUY_EVENT or SELL_EVENT"),
        (lambda folder: _file(folder, data=_events((_BID | hft.DEPTH, 1, float("nan"), 1.0))), "event 1: expected a decimal number"),
        (lambda folder: _file(folder, data=_ARRAY[:0]), "expected market data, found none"),
        (lambda folder: _file(folder, data=_events((_BID | hft.TRADED, 2 * 10**9, 1.0, 1.0), (_BID | hft.TRADED, 9, 1.0, 1.0))), "event 2: expected times in order"),
    ],
)  # fmt: skip
def test_what_is_no_such_array_is_refused(tmp_path: Path, make, message: str) -> None:
    """By file and event; nothing is left behind."""
    out = tmp_path / "x.tape.parquet"
    with pytest.raises(TapeError, match=message):
        imported(open_hftbacktest, [make(tmp_path)], out)
    assert not out.exists()


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """Half a zip, half an array."""
    path = _file(tmp_path, data=_ARRAY)
    path.write_bytes(path.read_bytes()[:-40])
    np.save(tmp_path / "x.npy", _ARRAY)
    (tmp_path / "x.npy").write_bytes((tmp_path / "x.npy").read_bytes()[:-40])
    for file in (path, tmp_path / "x.npy"):
        with pytest.raises(TapeError, match="expected a"):
            imported(open_hftbacktest, [file], tmp_path / "x.tape.parquet")
