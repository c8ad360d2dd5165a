"""Client order ids as text: reversible, short, and never mistaken for somebody else's."""

import re

from hypothesis import given
from hypothesis import strategies as st

from adapters.binance_spot.order_ids import decode_id, encode_id

IDS = st.integers(1, 2**63 - 1)


@given(IDS)
def test_every_id_survives_the_round_trip(order_id: int):
    """The text fits Binance's pattern for client order ids and decodes to the same id."""
    text = encode_id(order_id)
    assert re.fullmatch(r"mmd[\.A-Z\:/a-z0-9_-]{1,17}", text)
    assert decode_id(text) == order_id


@given(st.text(max_size=40))
def test_foreign_ids_are_none(text: str):
    """Any other text is nobody of ours."""
    order_id = decode_id(text)
    assert order_id is None or encode_id(order_id) == text


@given(IDS, st.sampled_from(["MMD", "mmd0", " mmd", "mmd+", "mmd_"]))
def test_other_spellings_of_our_ids_are_foreign(order_id: int, prefix: str):
    """Only the canonical text is ours: no upper case, no leading zero, sign or blank."""
    assert decode_id(prefix + encode_id(order_id).removeprefix("mmd")) is None


def test_text_shows_session_and_sequence():
    """People can read which session placed an order, and as its how-manyth."""
    assert encode_id(0x5F << 32 | 0x1A) == "mmd5f-1a"
    assert len(encode_id(2**63 - 1)) == 20
    assert decode_id("mmd80000000-1") is None
