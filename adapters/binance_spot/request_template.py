"""Requests of the WebSocket API: what is constant is laid out once, the rest is written by compiled code."""

from collections.abc import Callable, Mapping
from enum import IntEnum
from functools import partial

import msgspec
import numpy as np

from adapters.binance_spot import request_writer as writer
from adapters.binance_spot.auth import HmacSigner, Signer
from adapters.binance_spot.sha256 import BLOCK, INITIAL, ROUNDS
from mmd.core.instrument import Grid
from mmd.jit.kernel import Rec, bind, new

NO_GRID = Grid(0, 1, 0, 1)
_HMAC_HEX = 64


class Slot(IntEnum):
    """A value that is known only when a request is made, in the place of a parameter's constant."""

    TIMESTAMP = writer.TIMESTAMP
    NUMBER = writer.NUMBER
    """A whole number, given as `old_id`."""
    ORDER_ID = writer.ORDER_ID
    OLD_ID = writer.OLD_ID
    PRICE = writer.PRICE
    QTY = writer.QTY


_QUOTED = frozenset({Slot.NUMBER, Slot.ORDER_ID, Slot.OLD_ID, Slot.PRICE, Slot.QTY})
"""Slots whose values are strings in JSON."""
Params = Mapping[str, str | int | Slot]
Write = Callable[[int, int, int, int, int, int], int]
"""Of request id, timestamp in ms, order id, old id, price in ticks, quantity in lots."""


class RequestTemplate:
    """One request, ready but for its values.

    Attributes:
        write: as `encode`, but leaves the bytes at the start of `frame`, and returns how many they are.
        frame: what was written last.
    """

    __slots__ = ("_payload", "_record", "_signer", "_write", "_write_payload", "frame", "write")

    def __init__(
        self, method: str, params: Params, signer: Signer | None, grid: Grid = NO_GRID
    ) -> None:
        """`signer` is None on a connection that has logged on, and for what needs no key; `grid` is the instrument's."""
        record = self._record = new(writer.REQUEST)
        record["price_scale"], record["price_step"] = grid.price_scale, grid.price_step
        record["qty_scale"], record["qty_step"] = grid.size_scale, grid.size_step
        layout = _Layout(record)
        if signer is not None:
            _lay_out_payload(layout, params)
        _lay_out_frame(layout, method, params, is_signed=signer is not None)
        self._signer = None if isinstance(signer, HmacSigner) else signer
        if isinstance(signer, HmacSigner):
            _prepare(record, signer, layout.constant)
        out = memoryview(record["out"][0])
        self.frame, self._payload = out[writer.FRAME_AT :], out[: writer.OUTER]
        values = 0, 0, 0, 0, 0, 0
        self._write = partial(bind(writer.write_request, record, *values), record)
        self.write: Write = self._write if self._signer is None else self._write_signed
        self._write_payload = partial(bind(writer.write_payload, record, *values), record)

    def encode(
        self,
        request_id: int,
        timestamp_ms: int,
        order_id: int = 0,
        old_id: int = 0,
        price_ticks: int = 0,
        qty_lots: int = 0,
    ) -> bytes:
        """The request's bytes; a template without a slot ignores its value."""
        size = self.write(request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots)
        return self.frame[:size].tobytes()

    def _write_signed(
        self,
        request_id: int,
        timestamp_ms: int,
        order_id: int,
        old_id: int,
        price_ticks: int,
        qty_lots: int,
    ) -> int:
        """`write`, the payload signed by other means than the kernel's."""
        assert self._signer is not None, "expected a signer"
        values = request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots
        size = self._write_payload(*values)
        signature = self._signer.sign(bytes(self._payload[:size])).encode()
        self._record["signature_size"] = len(signature)
        at = writer.SIGNATURE_AT
        self._record["text"][0, at : at + len(signature)] = list(signature)
        return self._write(*values)


class _Layout:
    """Appends parts to a REQUEST record; `constant` is the text that its payload starts with."""

    def __init__(self, record: Rec) -> None:
        self.constant = b""
        self._row = record[0]
        self._used = 0
        self._is_start = True

    def text(self, which: int, text: str) -> None:
        data = text.encode()
        start, self._used = self._used, self._used + len(data)
        assert self._used <= writer.TEXT_MAX, "the constant parts of a request are too long"
        self._row["text"][start : self._used] = list(data)
        self._add(which, writer.TEXT, start, len(data))
        if which == writer.PAYLOAD and self._is_start:
            self.constant += data

    def value(self, which: int, kind: int) -> None:
        self._is_start = False
        self._add(which, kind, 0, 0)

    def _add(self, which: int, kind: int, start: int, size: int) -> None:
        at, part = int(self._row["n"][which]), self._row["part"][which]
        if kind == writer.TEXT and at > 0 and part[at - 1, 0] == writer.TEXT:
            part[at - 1, 2] += size  # pieces of text that follow each other stand side by side
            return
        assert at < writer.PARTS_MAX, "a request has too many parts"
        part[at] = kind, start, size
        self._row["n"][which] = at + 1


def _lay_out_payload(layout: _Layout, params: Params) -> None:
    """What is signed: raw pairs, in the order of their names."""
    separator = ""
    for name in sorted(params):
        value = params[name]
        layout.text(writer.PAYLOAD, f"{separator}{name}=")
        separator = "&"
        if isinstance(value, Slot):
            layout.value(writer.PAYLOAD, value)
        else:
            layout.text(writer.PAYLOAD, str(value))


def _lay_out_frame(layout: _Layout, method: str, params: Params, *, is_signed: bool) -> None:
    """What is sent."""
    layout.text(writer.FRAME, '{"id":')
    layout.value(writer.FRAME, writer.REQUEST_ID)
    layout.text(writer.FRAME, f',"method":"{method}","params":{{')
    separator = ""
    for name in sorted(params):
        value = params[name]
        layout.text(writer.FRAME, f'{separator}"{name}":')
        separator = ","
        if not isinstance(value, Slot):
            layout.text(writer.FRAME, msgspec.json.encode(value).decode())
        elif value in _QUOTED:
            layout.text(writer.FRAME, '"')
            layout.value(writer.FRAME, value)
            layout.text(writer.FRAME, '"')
        else:
            layout.value(writer.FRAME, value)
    if is_signed:
        layout.text(writer.FRAME, f'{separator}"signature":"')
        layout.value(writer.FRAME, writer.SIGNATURE)
        layout.text(writer.FRAME, '"')
    layout.text(writer.FRAME, "}}")


def _prepare(record: Rec, signer: HmacSigner, constant: bytes) -> None:
    """Hash the key's blocks and the whole blocks of what the payload starts with; pad the outer message."""
    row = record[0]
    row["is_hmac"], row["signature_size"], row["rounds"] = 1, _HMAC_HEX, ROUNDS
    hashed = len(constant) // BLOCK * BLOCK
    for name, blocks in (("outer", signer.outer), ("inner", signer.inner + constant[:hashed])):
        row["out"][: len(blocks)] = list(blocks)
        row["state"] = INITIAL
        for at in range(0, len(blocks), BLOCK):
            bind(writer.absorb, record, 0)(record, at)
        row[name] = row["state"]
    row["hashed"] = hashed
    ending = b"\x80".ljust(BLOCK // 2 - 8, b"\0") + (8 * (BLOCK + BLOCK // 2)).to_bytes(8, "big")
    padding = slice(writer.OUTER + BLOCK // 2, writer.OUTER + BLOCK)
    row["out"][padding] = np.frombuffer(ending, np.uint8)
