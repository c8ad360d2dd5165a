"""Writes a request's bytes and signs them, compiled: constant text with numbers put in between.

A template is two lists of parts, the payload that is signed and the JSON frame that is sent, each a piece of
constant text or a value in its text form. What is constant at the payload's start (the key's block, the API key) is
hashed once, when the template is made.

Source: Binance web-socket-api.md, "SIGNED request example (HMAC)"; RFC 2104 section 2.
"""

from typing import Any, Final

import numpy as np

from adapters.binance_spot.order_ids import PREFIX
from adapters.binance_spot.sha256 import BLOCK, ROUNDS, compress
from mmd.jit.kernel import Rec, kernel, layout, leaf

TEXT, REQUEST_ID, TIMESTAMP, NUMBER, ORDER_ID, OLD_ID, PRICE, QTY, SIGNATURE = range(9)
"""What a part is: constant text, or which value stands there."""
PAYLOAD, FRAME = 0, 1
PARTS_MAX: Final = 48
TEXT_MAX: Final = 4096
PAYLOAD_MAX: Final = 2048
FRAME_MAX: Final = 4096
SIGNATURE_MAX: Final = 1024
_DIGEST: Final = 32
_SEQUENCE_BITS: Final = 32
_PREFIX = np.frombuffer(PREFIX.encode(), np.uint8)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_ZERO, _DOT, _DASH = 48, 46, 45
_POW10 = 10 ** np.arange(19, dtype=np.int64)

REQUEST = layout(
    ("price_scale", "i8"),  # a tick is price_step * 10**-price_scale
    ("price_step", "i8"),
    ("qty_scale", "i8"),
    ("qty_step", "i8"),
    ("is_hmac", "i8"),  # 1 = signed here
    ("hashed", "i8"),  # bytes of the payload that are in `inner`
    ("signature_size", "i8"),
    ("n", "i8", (2,)),  # parts of the payload and of the frame
    ("part", "i8", (2, PARTS_MAX, 3)),  # kind; of TEXT where it starts and how long it is
    ("inner", "u4", (8,)),  # SHA-256 after the key's inner block and `hashed` bytes
    ("outer", "u4", (8,)),  # after the key's outer block
    ("state", "u4", (8,)),
    ("words", "u4", (ROUNDS,)),
    (
        "block",
        "u1",
        (BLOCK,),
    ),  # the last block of the outer hash; behind the digest it never changes
    ("signature", "u1", (SIGNATURE_MAX,)),
    ("text", "u1", (TEXT_MAX,)),
    ("payload", "u1", (PAYLOAD_MAX + 2 * BLOCK,)),
    ("frame", "u1", (FRAME_MAX,)),
)
"""One request's template, and room to write it in."""


@leaf
def _put_digits(out: Any, at: int, value: int, digits_min: int) -> int:
    """Write a number with at least so many digits; returns where it ends."""
    n, rest = 1, value // 10
    while rest > 0:
        rest //= 10
        n += 1
    n = max(n, digits_min)
    for k in range(n):
        out[at + n - 1 - k] = _ZERO + value % 10
        value //= 10
    return at + n


@leaf
def _put_decimal(out: Any, at: int, units: int, scale: int) -> int:
    """Write units of 10**-scale as a decimal with `scale` places."""
    if scale == 0:
        return _put_digits(out, at, units, 1)
    one = _POW10[scale]
    at = _put_digits(out, at, units // one, 1)
    out[at] = _DOT
    return _put_digits(out, at + 1, units % one, scale)


@leaf
def _put_hex(out: Any, at: int, value: int) -> int:
    """Write a number in hexadecimal digits."""
    n, rest = 1, value >> 4
    while rest > 0:
        rest >>= 4
        n += 1
    for k in range(n):
        out[at + n - 1 - k] = _HEX[value & 15]
        value >>= 4
    return at + n


@leaf
def _put_id(out: Any, at: int, order_id: int) -> int:
    """Write one of our order ids, as `order_ids.id_bytes` does."""
    for k in range(len(_PREFIX)):
        out[at + k] = _PREFIX[k]
    at = _put_hex(out, at + len(_PREFIX), order_id >> _SEQUENCE_BITS)
    out[at] = _DASH
    return _put_hex(out, at + 1, order_id & 0xFFFFFFFF)


@leaf
def _copy(out: Any, at: int, source: Any, start: int, size: int) -> int:
    for k in range(size):
        out[at + k] = source[start + k]
    return at + size


@leaf
def _write(  # noqa: PLR0913, PLR0917 - a kernel
    r: Rec,
    which: int,
    out: Any,
    request_id: int,
    timestamp_ms: int,
    order_id: int,
    old_id: int,
    price_ticks: int,
    qty_lots: int,
) -> int:
    """Write all parts of the payload or of the frame; returns how many bytes they are."""
    at = 0
    for p in range(r.n[which]):
        kind = r.part[which, p, 0]
        if kind == TEXT:
            at = _copy(out, at, r.text, r.part[which, p, 1], r.part[which, p, 2])
        elif kind == ORDER_ID:
            at = _put_id(out, at, order_id)
        elif kind == OLD_ID:
            at = _put_id(out, at, old_id)
        elif kind == PRICE:
            at = _put_decimal(out, at, price_ticks * r.price_step, r.price_scale)
        elif kind == QTY:
            at = _put_decimal(out, at, qty_lots * r.qty_step, r.qty_scale)
        elif kind == TIMESTAMP:
            at = _put_digits(out, at, timestamp_ms, 1)
        elif kind == REQUEST_ID:
            at = _put_digits(out, at, request_id, 1)
        elif kind == NUMBER:
            at = _put_digits(out, at, old_id, 1)
        else:
            at = _copy(out, at, r.signature, 0, r.signature_size)
    return at


@leaf
def _put_length(out: Any, at: int, size: int) -> None:
    """The length in bits that ends a padded message, the highest byte first."""
    for k in range(8):
        out[at + k] = (8 * size) >> 8 * (7 - k) & 255


@leaf
def _sign(r: Rec, size: int) -> None:
    """Leave the payload's HMAC-SHA256 in the signature, in hexadecimal digits."""
    payload = r.payload
    end = size + 1
    payload[size] = 0x80
    while end % BLOCK != BLOCK - 8:
        payload[end] = 0
        end += 1
    _put_length(payload, end, BLOCK + size)
    for k in range(8):
        r.state[k] = r.inner[k]
    for at in range(r.hashed, end, BLOCK):
        compress(r.state, r.words, payload, at)
    for k in range(_DIGEST):
        r.block[k] = r.state[k >> 2] >> np.uint32(24 - 8 * (k & 3)) & np.uint32(255)
    for k in range(8):
        r.state[k] = r.outer[k]
    compress(r.state, r.words, r.block, 0)
    for k in range(2 * _DIGEST):
        r.signature[k] = _HEX[r.state[k >> 3] >> np.uint32(28 - 4 * (k & 7)) & np.uint32(15)]


@kernel
def absorb(request: Rec, at: int) -> None:
    """Take a block of the payload into the state: how `inner` and `outer` are made."""
    r = request[0]
    compress(r.state, r.words, r.payload, at)


@kernel
def write_payload(
    request: Rec,
    request_id: int,
    timestamp_ms: int,
    order_id: int,
    old_id: int,
    price_ticks: int,
    qty_lots: int,
) -> int:
    """Write what has to be signed by other means; returns how many bytes it is."""
    r = request[0]
    return _write(
        r, PAYLOAD, r.payload, request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots
    )


@kernel
def write_request(
    request: Rec,
    request_id: int,
    timestamp_ms: int,
    order_id: int,
    old_id: int,
    price_ticks: int,
    qty_lots: int,
) -> int:
    """Write the frame, signed where the template says so; returns how many bytes it is."""
    r = request[0]
    if r.is_hmac == 1:
        _sign(
            r,
            _write(
                r,
                PAYLOAD,
                r.payload,
                request_id,
                timestamp_ms,
                order_id,
                old_id,
                price_ticks,
                qty_lots,
            ),
        )
    return _write(
        r, FRAME, r.frame, request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots
    )
