"""Frames cut by hand against `websockets`' own, in chunks of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from mmd.shell.text_frames import REFUSED, TEXT_HEAD, FrameCutter, masked_text

PAYLOAD_MAX = 70_000
SIZES = st.sampled_from([0, 1, 125, 126, 127, 200, 65_535, 65_536, PAYLOAD_MAX])
FRAMES = st.lists(st.tuples(st.sampled_from([Opcode.TEXT, Opcode.PING, Opcode.CONT]), SIZES))


def _served(opcode: Opcode, size: int) -> bytes:
    payload = bytes(97 + i % 26 for i in range(min(size, 125 if opcode is Opcode.PING else size)))
    return Frame(opcode, payload).serialize(mask=False)


@given(FRAMES, st.data())
def test_frames_come_out_whole_whatever_the_chunks(shapes, data):
    """However the bytes are cut up on their way, the same frames come out, in order and complete."""
    frames = [_served(*shape) for shape in shapes]
    stream = b"".join(frames)
    cutter, seen, at = FrameCutter(PAYLOAD_MAX), [], 0
    while at < len(stream):
        step = data.draw(st.integers(1, len(stream) - at))
        chunk, cuts = cutter.cut(stream[at : at + step])
        at += step
        seen += [
            (cut.head, chunk[cut.begin : cut.end], chunk[cut.payload : cut.end]) for cut in cuts
        ]
    assert [whole for _, whole, _ in seen] == frames
    assert [head for head, _, _ in seen] == [frame[0] for frame in frames]
    for whole, (opcode, _), (_, _, payload) in zip(frames, shapes, seen, strict=True):
        assert whole.endswith(payload), opcode


@pytest.mark.parametrize(
    "head",
    [bytes([TEXT_HEAD, 0x85]) + b"mask", bytes([TEXT_HEAD, 127]) + (PAYLOAD_MAX + 1).to_bytes(8)],
)
def test_what_breaks_the_rules_comes_out_at_once(head):
    """A masked frame, or one too long, does not wait for its end: the connection is to be closed."""
    fine = _served(Opcode.TEXT, 5)
    chunk, cuts = FrameCutter(PAYLOAD_MAX).cut(fine + head)
    assert [(c.head, chunk[c.begin : c.end]) for c in cuts] == [(TEXT_HEAD, fine), (REFUSED, head)]


@given(st.one_of(st.binary(max_size=300), SIZES.map(bytes)))
def test_masked_text_is_read_back_by_the_library(text):
    """A server of `websockets` reads the same text."""
    reader = StreamReader()
    frame = masked_text(text)
    reader.feed_data(frame)
    parser = Frame.parse(reader.read_exact, mask=True)
    with pytest.raises(StopIteration) as stop:
        next(parser)
    assert stop.value.value == Frame(Opcode.TEXT, text)


def test_each_message_has_a_mask_of_its_own():
    """RFC 6455 §5.3: the mask of a frame must not be foreseeable from the one before."""
    assert len({masked_text(b"the same text") for _ in range(20)}) == 20
