"""Kernels reach records and memory by their addresses, compiled and interpreted alike."""

import numpy as np

from mmd.jit.kernel import Rec, bind, kernel, layout, new
from mmd.jit.places import bytes_at, places, record_at

PAIR = layout(("left", "i8"), ("right", "f8", (2,)))


@kernel
def _swap(at: Rec, text: int, size: int) -> int:
    p = at[0]
    one, other = record_at(p.one, PAIR)[0], record_at(p.other, PAIR)[0]
    one.left, other.left = other.left, one.left
    one.right[1] = other.right[0]
    memory = bytes_at(text, size)
    memory[0] = 65
    return int(memory[size - 1])


def test_records_are_changed_where_they_stand() -> None:
    """No copies; memory too."""
    one, other, text = new(PAIR), new(PAIR), np.frombuffer(bytearray(b"xyz"), np.uint8)
    one["left"], other["left"], other["right"] = 1, 2, 3.5
    at = places(one=one, other=other)
    assert bind(_swap, at, 0, 0)(at, text.ctypes.data, 3) == ord("z")
    assert (one["left"][0], other["left"][0]) == (2, 1)
    assert one["right"][0].tolist() == [0.0, 3.5]
    assert bytes(text) == b"Ayz"
