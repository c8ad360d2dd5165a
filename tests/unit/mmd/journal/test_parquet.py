"""A session as Parquet files."""

import json
from pathlib import Path

import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from mmd.errors import JournalError
from mmd.journal.format import Kind, event_decoder
from mmd.journal.parquet import export
from mmd.journal.reader import records, segments
from mmd.journal.writer import JournalWriter
from tests.driver_bench import DriverBench
from tests.ops_state import obey_all
from tests.session import session_spec


@pytest.fixture
async def session(tmp_path: Path) -> Path:
    """Six orders, one fill, a snapshot of thirty levels a side."""
    folder = tmp_path / "20260101T000000-1"
    with JournalWriter(folder, session_spec(), segment_bytes=1, sync_ns=10**7) as journal:
        bench = DriverBench(journal=journal)
        bench.start()
        bench.driver.stop()
        bench.bring_up()
        obey_all(bench)
        bench.fill(next(iter(bench.open)))
    return folder


async def test_every_record_is_in_the_file_of_its_kind(session: Path, tmp_path: Path) -> None:
    """Rows by kind add up to the records; sequences tell where each stood; fields keep their types."""
    out = tmp_path / "out"
    rows = export(session, out)
    recorded = list(records(session))
    assert sum(rows.values()) == len(recorded)
    assert rows["PlaceOrder"] == 6
    assert rows == {p.stem: pq.read_metadata(p).num_rows for p in sorted(out.iterdir())}
    sequences = [n for p in out.iterdir() for n in pq.read_table(p)["sequence"].to_pylist()]
    assert sorted(sequences) == [r.sequence for r in recorded]
    (filled,) = pq.read_table(out / "Fill.parquet").to_pylist()
    events = [event_decoder.decode(r.body) for r in recorded if r.kind is Kind.EVENT]
    (fill,) = [e for e in events if type(e).__name__ == "Fill"]
    del filled["sequence"]
    assert filled == {name: getattr(fill, name) for name in fill.__struct_fields__}


async def test_market_records_keep_their_levels_and_files_their_session(
    session: Path, tmp_path: Path
) -> None:
    """Lists of ticks and lots; metadata that makes unix time of the engine's."""
    export(session, tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "Market.parquet")
    snapshot = table.to_pylist()[0]
    assert {len(snapshot[name]) for name in ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots")} == {
        30
    }
    assert snapshot["bid_ticks"] == sorted(snapshot["bid_ticks"], reverse=True)
    assert snapshot["bid_ticks"][0] < snapshot["ask_ticks"][0]
    metadata = {k.decode(): v.decode() for k, v in table.schema.metadata.items()}
    spec = session_spec()
    assert int(metadata["unix_less_engine_ns"]) == spec.started_unix_ns - spec.started_monotonic_ns
    assert json.loads(metadata["instruments"])[0]["symbol"] == "MMDUSDT"
    assert metadata["session"] == session.name


async def test_nothing_is_written_over_and_nothing_half(session: Path, tmp_path: Path) -> None:
    """A folder that is there is refused; a journal that does not verify leaves no folder of that name."""
    out = tmp_path / "out"
    export(session, out)
    with pytest.raises(JournalError, match="is there already"):
        export(session, out)
    (segment,) = segments(session)
    damaged = bytearray(segment.read_bytes())
    damaged[2_000] ^= 1
    segment.write_bytes(damaged)
    with pytest.raises(JournalError, match="does not verify"):
        export(session, tmp_path / "other")
    assert not (tmp_path / "other").exists()
    assert not (tmp_path / "other.partial").exists()
