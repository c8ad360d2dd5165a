"""Appends records to memory, compiled: body, head and checksum in one call, straight from what is recorded.

Market records are packed where they shall stand. Events and commands that are made of integers alone are written
as the msgpack arrays that msgspec makes of them; tests compare the two, byte by byte.
Source: the msgpack specification, "int format family" and "array format family".
"""

from functools import partial
from mmap import mmap
from typing import Any, Final, NamedTuple, cast, get_args

import msgspec
import numpy as np
from msgspec.structs import astuple

from mmd.core.commands import Command, ReplaceOrder
from mmd.core.events import Decision, Event
from mmd.core.market.record import MARKET, pack_row
from mmd.jit import crc32c
from mmd.jit.kernel import Rec, bind, kernel, layout, leaf, new, sample
from mmd.jit.places import bytes_at
from mmd.journal.format import HEAD, Kind, encoder

FULL: Final = 0
"""What an append returns where there is no room; nothing was written."""
INTEGERS_MAX: Final = 8
_HEAD_SIZE: Final = HEAD.size
_CHECKSUM_AT, _SEQUENCE_AT, _KIND_AT = 4, 8, 16
_MARKET: Final = int(Kind.MARKET)
_INTEGER_BYTES_MAX: Final = 9
_FIXARRAY: Final = 0x90
_EVENT, _COMMAND = int(Kind.EVENT), int(Kind.COMMAND)
_DECISION: Final = cast("int", Decision.__struct_config__.tag)
_DECISION_BYTES_MAX: Final = 1 + 3 * _INTEGER_BYTES_MAX

END = layout(
    ("at", "i8"),  # where the next record begins
    ("room", "i8"),  # where the last one must end
    ("sequence", "i8"),  # of the last record
    ("memory", "i8"),  # its address
    ("memory_size", "i8"),
)
"""A segment, and how far it is written."""
_AT, _ROOM, _SEQUENCE = range(3)


@leaf
def _put(out: Any, at: int, value: int, size: int) -> None:
    """Write the low bytes of a value, the lowest first."""
    for k in range(size):
        out[at + k] = value >> 8 * k & 255


@leaf
def _begin(end: Rec, kind: int) -> int:
    """The checksum's register with what of the head it covers: sequence and kind."""
    return crc32c.add_byte(crc32c.add_word(crc32c.begin(), end.sequence + 1), kind)


@leaf
def _close(out: Any, end: Rec, kind: int, size: int, register: int) -> int:
    """Write the head of the record at end.at, the length last, because a record exists once it has one."""
    at = end.at
    end.sequence += 1
    out[at + _KIND_AT] = kind
    _put(out, at + _SEQUENCE_AT, end.sequence, 8)
    _put(out, at + _CHECKSUM_AT, crc32c.finish(register), 4)
    _put(out, at, size, 4)
    end.at = at + _HEAD_SIZE + size
    return size


@leaf
def _checksum(out: Any, at: int, size: int, register: int) -> int:
    """The register with bytes that stand in memory."""
    k = 0
    while k + 8 <= size:
        word: Any = 0
        for i in range(8):
            word |= np.int64(out[at + k + i]) << 8 * i
        register = crc32c.add_word(register, word)
        k += 8
    while k < size:
        byte: Any = np.int64(out[at + k])
        register = crc32c.add_byte(register, byte)
        k += 1
    return register


@leaf
def _put_integer(out: Any, at: int, value: int) -> int:
    """Write an integer in the shortest form of msgpack, the highest byte first; returns where it ends."""
    if -32 <= value < 128:
        out[at] = value & 255
        return at + 1
    if value >= 0:
        exponent = 0 + (value > 0xFF) + (value > 0xFFFF) + (value > 0xFFFFFFFF)
        out[at] = 0xCC + exponent
    else:
        exponent = 0 + (value < -0x80) + (value < -0x8000) + (value < -0x80000000)
        out[at] = 0xD0 + exponent
    size = 1 << exponent
    for k in range(size):
        out[at + 1 + k] = value >> 8 * (size - 1 - k) & 255
    return at + 1 + size


@kernel
def append_market(end: Rec, market: Rec) -> int:
    """Append a market record in its packed form; returns the size of the body, or FULL."""
    e = end[0]
    out = bytes_at(e.memory, e.memory_size)
    size = pack_row(market[0])
    packed = market[0].packed
    at = e.at + _HEAD_SIZE
    if at + size > e.room:
        return FULL
    register = _begin(e, _MARKET)
    for k in range(size >> 3):
        _put(out, at + 8 * k, packed[k], 8)
        register = crc32c.add_word(register, packed[k])
    return _close(out, e, _MARKET, size, register)


@leaf
def _append_decision(out: Any, e: Rec, ts_recv_ns: int, number: int) -> int:
    """Append a Decision, for which there is room; returns the size of the body."""
    start = e.at + _HEAD_SIZE
    out[start] = _FIXARRAY | 3
    at = _put_integer(out, start + 1, _DECISION)
    at = _put_integer(out, at, ts_recv_ns)
    size = _put_integer(out, at, number) - start
    return _close(out, e, _EVENT, size, _checksum(out, start, size, _begin(e, _EVENT)))


@kernel
def append_decision(end: Rec, ts_recv_ns: int, number: int) -> int:
    """Append a Decision; returns the size of the body, or FULL."""
    e = end[0]
    out = bytes_at(e.memory, e.memory_size)
    if e.at + _HEAD_SIZE + _DECISION_BYTES_MAX > e.room:
        return FULL
    return _append_decision(out, e, ts_recv_ns, number)


@leaf
def write_command(  # noqa: PLR0913, PLR0917 - a kernel
    e: Rec,
    ts_recv_ns: int,
    number: int,
    n: int,
    a: int,
    b: int,
    c: int,
    d: int,
    f: int,
    g: int,
    h: int,
    i: int,
) -> int:
    """`append_command`, to a row of END."""
    out = bytes_at(e.memory, e.memory_size)
    room = _HEAD_SIZE + 1 + n * _INTEGER_BYTES_MAX
    if number > 0:
        room += _HEAD_SIZE + _DECISION_BYTES_MAX
    if e.at + room > e.room:
        return FULL
    if number > 0:
        _append_decision(out, e, ts_recv_ns, number)
    start = e.at + _HEAD_SIZE
    out[start] = _FIXARRAY | n
    at = start + 1
    values = (a, b, c, d, f, g, h, i)
    for k in range(n):
        at = _put_integer(out, at, values[k])
    size = at - start
    return _close(out, e, _COMMAND, size, _checksum(out, start, size, _begin(e, _COMMAND)))


@kernel
def append_command(  # noqa: PLR0913, PLR0917 - a kernel
    end: Rec,
    ts_recv_ns: int,
    number: int,
    n: int,
    a: int,
    b: int,
    c: int,
    d: int,
    f: int,
    g: int,
    h: int,
    i: int,
) -> int:
    """Append a command, a msgpack array of the first n integers; returns the size of the body, or FULL.

    Where number is above 0, the Decision of this number is appended before it: both, or neither.
    """
    return write_command(end[0], ts_recv_ns, number, n, a, b, c, d, f, g, h, i)


@kernel
def append_written(end: Rec, kind: int, size: int) -> int:
    """Append a body that stands behind the head's place already; returns its size."""
    e = end[0]
    out = bytes_at(e.memory, e.memory_size)
    at = e.at + _HEAD_SIZE
    return _close(out, e, kind, size, _checksum(out, at, size, _begin(e, kind)))


class Shape(NamedTuple):
    """How a command is an array of integers: its tag, its fields, and what INTEGERS_MAX leaves over."""

    n: int
    tag: int
    padding: tuple[int, ...]


def shape_of(command: type[msgspec.Struct]) -> Shape:
    """The shape of a kind of command."""
    n, tag = 1 + len(command.__struct_fields__), command.__struct_config__.tag
    assert isinstance(tag, int), "commands are tagged by numbers"
    return Shape(n, tag, (0,) * (INTEGERS_MAX - n))


_SHAPES: dict[type, Shape] = {command: shape_of(command) for command in get_args(Command)}
_REPLACE = _SHAPES[ReplaceOrder]


class Segment:
    """A stretch of memory that records are appended to, one behind the other.

    The appending methods return the size of the record's body, or FULL where there is no room.

    Attributes:
        end: END record.
    """

    __slots__ = (
        "_command",
        "_decision",
        "_held",
        "_memory",
        "_words",
        "_written",
        "end",
        "market",
    )

    def __init__(self, memory: mmap | bytearray, sequence: int) -> None:
        """`sequence` is the number of the last record before this segment."""
        self._memory = memory
        self.end: Rec = new(END)
        self._words = memoryview(self.end.view("i8"))
        self._words[_SEQUENCE] = sequence
        self._words[_ROOM] = len(memory) - _HEAD_SIZE  # zeros of a head's size end a segment
        self._held = np.frombuffer(memory, np.uint8)  # keeps the memory where it is
        self.end["memory"], self.end["memory_size"] = self._held.ctypes.data, len(memory)
        end = self.end
        self.market = partial(bind(append_market, end, sample(MARKET)), end)
        """Append a market record."""
        self._command = partial(bind(append_command, end, *[0] * (3 + INTEGERS_MAX)), end)
        self._decision = partial(bind(append_decision, end, 0, 0), end)
        self._written = partial(bind(append_written, end, 0, 0), end)

    @property
    def at(self) -> int:
        """Where the next record begins."""
        return self._words[_AT]

    @property
    def sequence(self) -> int:
        """Number of the last record."""
        return self._words[_SEQUENCE]

    def rewind(self) -> None:
        """Go back to the start; sequences go on."""
        self._words[_AT] = 0

    def event(self, event: Event) -> int:
        """Append an event; decisions, which come with every frame, without an encoder."""
        if type(event) is Decision:
            return self._decision(event.ts_recv_ns, event.number)
        return self.body(_EVENT, encoder.encode(event))

    def command(self, command: Command, decision: Decision | None = None) -> int:
        """Append a command, and before it the decision that it comes from, unless that is on record."""
        stamp, number = (0, 0) if decision is None else (decision.ts_recv_ns, decision.number)
        if isinstance(command, ReplaceOrder):  # the most frequent, and what the wire waits for
            return self._command(
                stamp,
                number,
                _REPLACE.n,
                _REPLACE.tag,
                command.instrument,
                command.cancel_id,
                command.client_order_id,
                command.side,
                command.price_ticks,
                command.qty_lots,
                command.tif,
            )
        n, tag, padding = _SHAPES[type(command)]
        return self._command(stamp, number, n, tag, *astuple(command), *padding)

    def body(self, kind: int, body: bytes) -> int:
        """Append a record of any kind."""
        start = self._words[_AT] + _HEAD_SIZE
        if start + len(body) > self._words[_ROOM]:
            return FULL
        self._memory[start : start + len(body)] = body
        return self._written(kind, len(body))
