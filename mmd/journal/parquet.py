"""A session as Parquet files, one for each kind of record, for pandas, polars, DuckDB and the like.

Times are the engine's nanoseconds; each file's metadata has `unix_less_engine_ns`, which makes them unix time, and the
session's instruments. Fields that are no numbers, texts or truth values are JSON texts.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from mmd.core.market.record import LEVELS_MAX
from mmd.core.spec import SessionSpec
from mmd.errors import JournalError
from mmd.journal.format import Kind, Record, command_decoder, event_decoder
from mmd.journal.reader import read_spec, records

_ROWS = 20_000
_LEVELS = pa.list_(pa.int64())
_MARKET = pa.schema(
    [
        ("sequence", pa.int64()),
        ("kind", pa.int8()),
        ("side", pa.int8()),
        ("instrument", pa.int32()),
        *((name, pa.int64()) for name in ("ts_event_ns", "ts_recv_ns", "first", "last", "prev")),
        *((name, _LEVELS) for name in ("bid_ticks", "bid_lots", "ask_ticks", "ask_lots")),
    ]
)
_HEADER = pa.schema([("sequence", pa.int64()), ("spec", pa.string())])
_HEAD_WORDS = 9


class _Table:
    """Rows of one kind on their way to its file."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = schema
        self._rows: list[dict[str, Any]] = []
        self._writer = pq.ParquetWriter(path, schema, compression="zstd")
        self.rows = 0

    def add(self, row: dict[str, Any]) -> None:
        self._rows.append(row)
        if len(self._rows) == _ROWS:
            self._write()

    def close(self) -> None:
        self._write()
        self._writer.close()

    def _write(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._rows, schema=self._schema))
        self.rows += len(self._rows)
        self._rows = []


def export(
    session: Path, out: Path, progress: Callable[[int], None] = lambda _: None
) -> dict[str, int]:
    """Write a session into a new folder; rows by kind.

    Args:
        session: the session's folder.
        out: a folder that does not exist yet; it appears when all is written.
        progress: told how many records were read, now and then.

    Raises:
        JournalError: The session does not verify, or the folder is there already or cannot be made.
    """
    partial = out.with_name(out.name + ".partial")
    spec = read_spec(session)
    metadata = _metadata(session, spec)
    tables: dict[str, _Table] = {}
    try:
        if out.exists():
            raise JournalError(f"{out} is there already: expected the name of a new folder")
        partial.mkdir(parents=True)
        for record in records(session):
            kind, schema, row = _row(record)
            if kind not in tables:
                path = partial / f"{kind}.parquet"
                tables[kind] = _Table(path, schema().with_metadata(metadata))
            tables[kind].add({"sequence": record.sequence} | row)
            if record.sequence % _ROWS == 0:
                progress(record.sequence)
        for table in tables.values():
            table.close()
        partial.rename(out)
    except OSError as error:
        raise JournalError(
            f"{out} cannot be written ({error.strerror}): expected a new folder in a place that is yours"
        ) from error
    return {kind: table.rows for kind, table in sorted(tables.items())}


def _metadata(session: Path, spec: SessionSpec) -> dict[str, str]:
    return {
        "session": session.name,
        "unix_less_engine_ns": str(spec.started_unix_ns - spec.started_monotonic_ns),
        "instruments": msgspec.json.encode(spec.instruments).decode(),
    }


def _row(record: Record) -> tuple[str, Callable[[], pa.Schema], dict[str, Any]]:
    """A record's kind, its columns, and its values but for the sequence."""
    match record.kind:
        case Kind.HEADER:
            spec = msgspec.json.encode(msgspec.msgpack.decode(record.body)).decode()
            return "Header", lambda: _HEADER, {"spec": spec}
        case Kind.MARKET:
            return "Market", lambda: _MARKET, _market(record.body)
        case Kind.EVENT:
            return _struct_row(event_decoder.decode(record.body))
        case Kind.COMMAND:
            return _struct_row(command_decoder.decode(record.body))


def _struct_row(value: msgspec.Struct) -> tuple[str, Callable[[], pa.Schema], dict[str, Any]]:
    fields = {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    return type(value).__name__, lambda: _schema_of(type(value)), fields


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | float | bool):
        return value
    if isinstance(value, int):
        return int(value)
    return msgspec.json.encode(value).decode()


def _market(body: bytes) -> dict[str, Any]:
    """The columns of a packed market record."""
    words = memoryview(body).cast("q").tolist()
    n_bid, n_ask = words[6], words[7]
    if not (0 <= n_bid <= LEVELS_MAX and len(words) == _HEAD_WORDS + 2 * (n_bid + n_ask)):
        raise JournalError(f"a market record of {len(words)} words does not fit its own head")
    bids, asks = words[_HEAD_WORDS : _HEAD_WORDS + 2 * n_bid], words[_HEAD_WORDS + 2 * n_bid :]
    return {
        "kind": words[0] & 0xFF,
        "side": words[0] >> 8 & 0xFF,
        "instrument": words[0] >> 16,
        "ts_event_ns": words[1],
        "ts_recv_ns": words[2],
        "first": words[3],
        "last": words[4],
        "prev": words[5],
        "bid_ticks": bids[::2],
        "bid_lots": bids[1::2],
        "ask_ticks": asks[::2],
        "ask_lots": asks[1::2],
    }


def _schema_of(record: type[msgspec.Struct]) -> pa.Schema:
    """Columns of an event's or a command's fields."""
    info = msgspec.inspect.type_info(record)
    assert isinstance(info, msgspec.inspect.StructType)
    columns = [(field.name, _column(field.type)) for field in info.fields]
    return pa.schema([("sequence", pa.int64()), *columns])


def _column(field: msgspec.inspect.Type) -> pa.DataType:
    match field:
        case msgspec.inspect.BoolType():
            return pa.bool_()
        case msgspec.inspect.FloatType():
            return pa.float64()
        case msgspec.inspect.IntType():
            return pa.int64()
        case msgspec.inspect.EnumType(cls) if issubclass(cls, int):
            return pa.int64()
        case msgspec.inspect.UnionType(types):
            kept = [t for t in types if not isinstance(t, msgspec.inspect.NoneType)]
            return _column(kept[0]) if len(kept) == 1 else pa.string()
        case _:
            return pa.string()
