"""Requests written by compiled code are those that formatting, json and hmac would make."""

import hashlib
import hmac
from decimal import Decimal

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.order_ids import id_bytes
from adapters.binance_spot.request_template import RequestTemplate, Slot
from adapters.binance_spot.sha256 import INITIAL
from mmd.core.instrument import Grid
from tests.api_payload import api_payload

ORDER = {
    "newClientOrderId": Slot.ORDER_ID,
    "origClientOrderId": Slot.OLD_ID,
    "price": Slot.PRICE,
    "quantity": Slot.QTY,
    "recvWindow": 2000,
    "timestamp": Slot.TIMESTAMP,
}
IDS = st.integers(1, 2**63 - 1)
NUMBERS = st.integers(0, 10**12) | st.sampled_from([0, 1, 9, 10, 99, 100, 10**8 - 1, 10**8])
GRIDS = st.builds(
    Grid, st.integers(0, 9), st.integers(1, 50), st.integers(0, 9), st.integers(1, 50)
)


def _decimal(units: int, scale: int, step: int) -> str:
    return f"{Decimal(units * step).scaleb(-scale):.{scale}f}"


@given(
    GRIDS,
    st.text(max_size=150),
    st.text(min_size=1, max_size=100),
    IDS,
    IDS,
    st.tuples(*[st.integers(0, 10**12)] * 4),
)
def test_a_request_is_what_the_venue_expects(grid, key, secret, order_id, old_id, numbers) -> None:
    """Any key, so that the constant part ends anywhere in a block; any secret, grid and value."""
    request_id, timestamp_ms, ticks, lots = numbers
    template = RequestTemplate("order.x", ORDER | {"apiKey": key}, HmacSigner(secret), grid)
    frame = template.encode(request_id, timestamp_ms, order_id, old_id, ticks, lots)
    params = {
        "apiKey": key,
        "newClientOrderId": id_bytes(order_id).decode(),
        "origClientOrderId": id_bytes(old_id).decode(),
        "price": _decimal(ticks, grid.price_scale, grid.price_step),
        "quantity": _decimal(lots, grid.size_scale, grid.size_step),
        "recvWindow": 2000,
        "timestamp": timestamp_ms,
    }
    signature = hmac.new(secret.encode(), api_payload(params).encode(), hashlib.sha256).hexdigest()
    expected = {
        "id": request_id,
        "method": "order.x",
        "params": params | {"signature": signature},
    }
    assert frame == msgspec.json.encode(expected)


@pytest.mark.parametrize("size", range(64))
def test_payloads_of_every_length_are_signed(size: int) -> None:
    """The padding of the last block falls differently for each."""
    template = RequestTemplate("x", {"a": "k" * size, "b": Slot.NUMBER}, HmacSigner("secret"))
    signature = msgspec.json.decode(template.encode(1, 2, old_id=3))["params"]["signature"]
    payload = f"a={'k' * size}&b=3".encode()
    assert signature == hmac.new(b"secret", payload, hashlib.sha256).hexdigest()


def test_a_template_writes_again_and_again() -> None:
    """Nothing of a request is left over in the next, longer or shorter."""
    template = RequestTemplate("x", {"n": Slot.NUMBER}, HmacSigner("secret"))
    frames = [template.encode(1, 0, old_id=n) for n in (10**15, 7, 10**15)]
    assert frames[0] == frames[2] != frames[1]
    assert msgspec.json.decode(frames[1])["params"]["n"] == "7"


@given(GRIDS, st.lists(st.tuples(IDS, IDS, *[NUMBERS] * 4), min_size=2, max_size=6))
@example(Grid(0, 1, 0, 1), [(1, 1, *[10] * 4), (1, 1, *[9] * 4), (1, 1, *[10] * 4)])
@example(Grid(2, 1, 2, 1), [(16, 15, *[10**3] * 4), (15, 16, *[999] * 4), (16, 15, *[0] * 4)])
def test_what_one_template_writes_in_turn_is_what_new_ones_would(grid, requests) -> None:
    """Values that take as much room as before are written over the old ones, others move what is behind them."""
    params = ORDER | {"apiKey": "key"}
    template = RequestTemplate("order.x", params, HmacSigner("secret"), grid)
    for order_id, old_id, *numbers in requests:
        request_id, timestamp_ms, ticks, lots = numbers
        values = request_id, timestamp_ms, order_id, old_id, ticks, lots
        fresh = RequestTemplate("order.x", params, HmacSigner("secret"), grid)
        assert template.encode(*values) == fresh.encode(*values)


def test_without_a_key_nothing_is_signed() -> None:
    """As on a connection that has logged on."""
    template = RequestTemplate("x", {"q": 'a "quoted" %s', "timestamp": Slot.TIMESTAMP}, None)
    assert msgspec.json.decode(template.encode(9, 5)) == {
        "id": 9,
        "method": "x",
        "params": {"q": 'a "quoted" %s', "timestamp": 5},
    }


def test_the_initial_state_is_the_standards() -> None:
    """FIPS 180-4 section 5.3.3."""
    assert INITIAL.tolist()[:2] == [0x6A09E667, 0xBB67AE85]
