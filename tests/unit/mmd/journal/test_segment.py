"""What is appended by compiled code is what msgspec and the crc32c library would have written."""

from typing import get_args

import crc32c
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmd.core.commands import CancelOrder, Command, PlaceOrder, ReplaceOrder
from mmd.core.events import Decision, FeedDown
from mmd.core.market.record import DIFF, MARKET, pack, packed_view
from mmd.core.units import ClientOrderId, InstrumentId, Side, TimeInForce
from mmd.jit.kernel import bind, new
from mmd.journal.format import CHECKED_FROM, HEAD, Kind, encoder
from mmd.journal.segment import FULL, Segment

NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.sampled_from(
    [
        sign * 2**bits + near
        for bits in (5, 7, 8, 15, 16, 31, 32, 62)
        for sign in (1, -1)
        for near in (-1, 0, 1)
    ]
)
PACK = bind(pack, new(MARKET))


def _records(memory: bytearray) -> list[tuple[int, int, bytes]]:
    """Sequence, kind and body of each record; every checksum holds."""
    at, found = 0, []
    while True:
        size, checksum, sequence, kind = HEAD.unpack_from(memory, at)
        if size == 0:
            return found
        end = at + HEAD.size + size
        assert crc32c.crc32c(bytes(memory[at + CHECKED_FROM : end])) == checksum
        found.append((sequence, kind, bytes(memory[at + HEAD.size : end])))
        at = end


def test_every_command_is_an_array_of_integers() -> None:
    """Whatever kind of command: the bytes are those of the encoder that reads them back."""
    memory = bytearray(4096)
    segment = Segment(memory, 41)
    commands = []
    for kind in get_args(Command):
        values = {
            name: {"side": Side.SELL, "tif": TimeInForce.IOC}.get(name, 300 + i)
            for i, name in enumerate(kind.__struct_fields__)
        }
        commands.append(kind(**values))
        assert segment.command(commands[-1]) > 0
    found = _records(memory)
    assert [body for _, _, body in found] == [encoder.encode(c) for c in commands]
    assert [sequence for sequence, _, _ in found] == list(range(42, 42 + len(commands)))
    assert {kind for _, kind, _ in found} == {Kind.COMMAND}
    assert segment.sequence == 41 + len(commands)


@given(NUMBERS, NUMBERS, NUMBERS)
def test_integers_take_their_shortest_form(order_id: int, price: int, qty: int) -> None:
    """As msgspec writes them, at every edge between two forms."""
    memory = bytearray(256)
    command = ReplaceOrder(
        InstrumentId(0),
        ClientOrderId(5),
        ClientOrderId(order_id),
        Side.BUY,
        price,
        qty,
        TimeInForce.POST_ONLY,
    )
    Segment(memory, 0).command(command)
    assert _records(memory) == [(1, Kind.COMMAND, encoder.encode(command))]


def test_a_command_brings_its_decision_with_it() -> None:
    """The decision first; both, or where there is no room for both, neither."""
    decision, command = Decision(300, 7), CancelOrder(InstrumentId(0), ClientOrderId(5))
    whole = bytearray(4096)
    Segment(whole, 0).command(command, decision)
    bodies = [(Kind.EVENT, encoder.encode(decision)), (Kind.COMMAND, encoder.encode(command))]
    assert [(kind, body) for _, kind, body in _records(whole)] == bodies
    for room in range(2 * HEAD.size, 200):
        memory = bytearray(room)
        appended = Segment(memory, 0).command(command, decision)
        assert len(_records(memory + bytes(64))) == (0 if appended == FULL else 2)


@given(st.integers(0, 2**62), st.integers(1, 2**40), st.text(max_size=40))
def test_events_with_an_encoder_and_without(ts_ns: int, number: int, text: str) -> None:
    """Decisions are written as integers, all else by msgspec, and both verify."""
    memory = bytearray(1024)
    segment = Segment(memory, 0)
    events = [Decision(ts_ns, number), FeedDown(ts_ns, InstrumentId(0), text)]
    for event in events:
        segment.event(event)
    assert [body for _, _, body in _records(memory)] == [encoder.encode(e) for e in events]


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5),
    st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5),
)
def test_market_records_are_packed_in_place(bids: list, asks: list) -> None:
    """The body is what `pack` makes of the record."""
    market, memory = new(MARKET), bytearray(1024)
    market["kind"], market["last"], market["n"] = DIFF, 42, (len(bids), len(asks))
    for side, levels in enumerate((bids, asks)):
        for i, (px, sz) in enumerate(levels):
            market["px"][0, side, i], market["sz"][0, side, i] = px, sz
    Segment(memory, 6).market(market)
    assert _records(memory) == [(7, Kind.MARKET, bytes(packed_view(market)[: PACK(market)]))]


@pytest.mark.parametrize("kind", ["market", "event", "command", "body"])
def test_a_full_segment_takes_nothing(kind: str) -> None:
    """Nothing is written, and nothing counted."""
    memory = bytearray(2 * HEAD.size + 3)
    segment = Segment(memory, 9)
    command = PlaceOrder(
        InstrumentId(0), ClientOrderId(5), Side.BUY, 10_000, 5, TimeInForce.POST_ONLY
    )
    appends = {
        "market": lambda: segment.market(new(MARKET)),
        "event": lambda: segment.event(Decision(10**9, 1)),
        "command": lambda: segment.command(command),
        "body": lambda: segment.body(Kind.EVENT, msgspec.msgpack.encode("four")),
    }
    assert appends[kind]() == FULL
    assert (segment.at, segment.sequence, bytes(memory)) == (0, 9, bytes(len(memory)))
