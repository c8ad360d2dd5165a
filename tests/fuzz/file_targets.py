"""What is read from disk, and the local control socket: journals, journal records, tapes' sources, orders of people."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from adapters.binance_spot.recording import open_recording
from mmd.core.commands import CancelAll, PlaceOrder
from mmd.core.events import Decision, Fill, OperatorAction, OperatorCommand, Timer
from mmd.core.units import InstrumentId, Side, TimeInForce, client_order_id
from mmd.errors import JournalError, MmdError
from mmd.journal.format import command_decoder, encoder, event_decoder
from mmd.journal.reader import segment_records
from mmd.journal.writer import JournalWriter
from mmd.shell.control_socket import ACTIONS, ControlSocket
from mmd.tape.importers.binance_csv import open_binance_csv
from mmd.tape.importers.bitstamp import open_bitstamp
from mmd.tape.importers.gemini import open_gemini
from mmd.tape.importers.meter import Meter
from mmd.tape.importers.options import ImportOptions
from mmd.tape.importers.source import Importer
from mmd.tape.importers.tardis import open_tardis
from mmd.tape.validation import Validation
from tests.fuzz.cheap_records import cheap_records
from tests.fuzz.market_targets import SNAPSHOTS, STREAMS, WrongReadingError
from tests.session import session_spec

_ME, _ORDER = InstrumentId(0), client_order_id(7, 1)
_EVENTS: Final = (
    Timer(1),
    Decision(2, 1),
    OperatorCommand(3, OperatorAction.HALT, "test"),
    Fill(4, _ME, _ORDER, 11, 12, Side.SELL, 10_001, 50, True, 3, "USDT", 5),
)
_COMMANDS: Final = (
    PlaceOrder(_ME, _ORDER, Side.SELL, 10_001, 50, TimeInForce.POST_ONLY),
    CancelAll(_ME),
)


def memory_folder() -> Path:
    """A folder of our own, in memory where the system has a place for that."""
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    return Path(tempfile.mkdtemp(prefix="mmd-fuzz-", dir=parent))


class _OnDisk:
    """Something that is read from a file."""

    def __init__(self) -> None:
        self._folder = memory_folder()

    def close(self) -> None:
        """Remove the files."""
        shutil.rmtree(self._folder, ignore_errors=True)


class JournalTarget(_OnDisk):
    """A segment: what is read is what was written, up to where it was damaged."""

    name = "journal segment"

    def __init__(self) -> None:
        super().__init__()
        written = self._folder / "written"
        with JournalWriter(written, session_spec(), segment_bytes=1, sync_ns=10**9) as writer:
            for event in _EVENTS * 4:
                writer.event(event)
            for command in _COMMANDS:
                writer.command(command)
        (segment,) = written.iterdir()
        self.seeds = (segment.read_bytes(),)
        self._right = {(r.sequence, r.kind, r.body) for r in segment_records(segment, is_last=True)}
        self._path = self._folder / "000001.mmdj"

    def check(self, frame: bytes) -> str:
        """Records that were never written do not come out. Raises: WrongReadingError."""
        self._path.write_bytes(frame)
        is_last = len(frame) % 2 == 0
        try:
            for record in segment_records(self._path, is_last=is_last):
                if (record.sequence, record.kind, record.body) not in self._right:
                    raise WrongReadingError(f"a record that was never written: {record!r}")
        except JournalError:
            return "refused"
        return "read"


class RecordTarget:
    """Bodies of journal records: events and commands."""

    name = "journal records"
    seeds = tuple(encoder.encode(thing) for thing in (*_EVENTS, *_COMMANDS))

    def check(self, frame: bytes) -> str:
        """Read again as it was written, or refused."""
        found = 0
        for decoder in (event_decoder, command_decoder):
            with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError):
                thing = decoder.decode(frame)
                found += 1
                assert decoder.decode(encoder.encode(thing)) == thing, thing
        return "read" if found else "refused"


_TARDIS = b"""exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
deribit,BTC-PERPETUAL,1585699200000005,1585699200000010,true,bid,6425.5,20
deribit,BTC-PERPETUAL,1585699200000005,1585699200000010,true,ask,6426,1e1
deribit,BTC-PERPETUAL,1585699200000015,1585699200000020,false,bid,6425.5,0
deribit,BTC-PERPETUAL,1585699200000025,1585699200000030,false,ask,6427,30
"""
_BINANCE = b"""id,price,qty,quote_qty,time,is_buyer_maker
5,100.5,2,201,1735689600010866,true
6,101.0,4,404,1735689600010999,false
"""
_BITSTAMP = b"""1000 order_created {"price": "236.47", "amount": "2.00000000", "datetime": "1", "id": 71, "order_type": 0}
1002 order_created {"price": "236.47", "amount": "0.50000000", "datetime": "1", "id": 72, "order_type": 1}
1003 order_changed {"price": "236.47", "amount": "1.50000000", "datetime": "1", "id": 71, "order_type": 0}
1004 order_deleted {"price": "236.47", "amount": "0.00000000", "datetime": "1", "id": 72, "order_type": 1}
1005 trade {"price": 236.47, "amount": 0.50000000000000011, "id": 811}
1006 order_book {"bids": [["236.47", "1.50000000"]], "asks": [["236.50", "1.00000000"]]}
"""
_GEMINI = b"""time_seconds,bid_price_bid_size,ask_price_ask_size
1625097600,2271.58_1.6477,2279.63_28.479526
1625097601,2271.58_1.6477,2279.86_11.74342
"""
_RECORDED = b"".join(
    b"%d %b\n" % (1723161255300000 + 1000 * n, frame)
    for n, frame in enumerate((*SNAPSHOTS[:1], *STREAMS[:4]))
)
_SOURCES: Final[dict[str, tuple[Importer, str, bytes]]] = {
    "tardis": (open_tardis, "book.csv", _TARDIS),
    "binance": (open_binance_csv, "BTCUSDT-trades-2025-01-01.csv", _BINANCE),
    "bitstamp": (open_bitstamp, "log.log", _BITSTAMP),
    "gemini": (open_gemini, "bbo.csv", _GEMINI),
    "recording": (open_recording, "frames.log", _RECORDED),
}


class TapeSourceTarget(_OnDisk):
    """Text formats that tapes are made of, each seed tagged with the importer that it is for."""

    name = "tape importers"

    def __init__(self) -> None:
        super().__init__()
        self.seeds: Sequence[bytes] = [
            name.encode() + b"\0" + text for name, (_, _, text) in _SOURCES.items()
        ]
        self._cheap = contextlib.ExitStack()
        self._cheap.enter_context(cheap_records())

    def close(self) -> None:
        """Remove the files; records cost what they did."""
        self._cheap.close()
        super().close()

    def check(self, frame: bytes) -> str:
        """Rows that the validation has seen, or a typed error."""
        tag, _, text = frame.partition(b"\0")
        importer, name, _ = _SOURCES.get(tag.decode(errors="replace"), _SOURCES["recording"])
        path = self._folder / name
        path.write_bytes(text)
        try:
            source = importer([path], ImportOptions(symbol="MMDUSDT"), Meter())
            validation = Validation((), has_recv_time=source.header.has_recv_time)
            for batch in source.batches:
                validation.check(batch.rows, lambda _: "here")
        except MmdError:
            return "refused"
        return "read"


class ControlTarget:
    """Lines to the control socket: only whole orders that exist are passed on."""

    name = "control socket"
    seeds = (
        b'{"action": "halt", "who": "cli"}\n',
        b'{"action": "resume", "who": "a person"}\n',
        b'{"action": "cancel_all", "who": "http 127.0.0.1"}\n',
    )

    def __init__(self) -> None:
        self._done: list[str] = []
        self._socket = ControlSocket(Path("unused"), self._carry_out)

    def _carry_out(self, action: str, _: str) -> dict[str, object]:
        """As the engine does: what there is not is refused."""
        if action not in ACTIONS:
            raise MmdError(f"expected one of {', '.join(ACTIONS)}")
        self._done.append(action)
        return {}

    def check(self, frame: bytes) -> str:
        """Refused, or done exactly once and named in the line."""
        self._done.clear()
        answer = self._socket._obey(frame)
        msgspec.json.encode(answer)
        if not answer["ok"]:
            assert self._done == [], "refused and done all the same"
            return "refused"
        (action,) = self._done
        assert action in ACTIONS, action
        return "done"
