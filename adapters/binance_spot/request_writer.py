"""Writes a request's bytes and signs them, compiled: constant text with numbers put in between.

A template is two lists of parts, the payload that is signed and the JSON frame that is sent, each a piece of
constant text or a value in its text form. Where every value takes as much room as it did last time, which is nearly
always, only the values are written over. What is constant at the payload's start (the key's block, the API key) is hashed
once, when the template is made.

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
OUTER: Final = PAYLOAD_MAX + 2 * BLOCK
FRAME_AT: Final = OUTER + BLOCK
SIGNATURE_MAX: Final = 1024
SIGNATURE_AT: Final = TEXT_MAX
_DIGEST: Final = 32
_SEQUENCE_BITS: Final = 32
_SEQUENCE: Final = 0xFFFFFFFF
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
    ("rounds", "i8"),  # of SHA-256
    ("hashed", "i8"),  # bytes of the payload that are in `inner`
    ("signature_size", "i8"),
    ("n", "i8", (2,)),  # parts of the payload and of the frame
    ("part", "i8", (2, PARTS_MAX, 3)),  # kind; of TEXT where it starts and how long it is
    (
        "written",
        "i8",
        (2,),
    ),  # bytes of the payload and of the frame that stand in `out`, 0 = none yet
    ("values", "i8", (2,)),  # values in them
    ("value", "i8", (2, PARTS_MAX, 3)),  # kind, where it begins in `out`, where it ends
    ("inner", "u4", (8,)),  # SHA-256 after the key's inner block and `hashed` bytes
    ("outer", "u4", (8,)),  # after the key's outer block
    ("state", "u4", (8,)),
    ("words", "u4", (ROUNDS,)),
    (
        "text",
        "u1",
        (SIGNATURE_AT + SIGNATURE_MAX,),
    ),  # what is constant, and at SIGNATURE_AT the signature
    # The payload, padded; at OUTER the last block of the outer hash, which behind the digest never changes; at FRAME_AT
    # the frame. One array, so that one compiled function serves them all.
    ("out", "u1", (FRAME_AT + FRAME_MAX,)),
)
"""One request's template, and room to write it in."""


@leaf
def _decimal_size(units: int, scale: int) -> int:
    """How many bytes units of 10**-scale take as a decimal with `scale` places."""
    n, rest = scale + 1, units // _POW10[scale] // 10
    while rest > 0:
        rest //= 10
        n += 1
    return n + int(scale > 0)


@leaf
def _fit_decimal(out: Any, at: int, end: int, units: int, scale: int) -> bool:
    """Write a decimal to out[at:end]; returns whether it takes just that room."""
    k = end - 1
    for _ in range(scale):
        out[k] = _ZERO + units % 10
        units //= 10
        k -= 1
    if scale > 0:
        out[k] = _DOT
        k -= 1
    while k > at:
        out[k] = _ZERO + units % 10
        units //= 10
        k -= 1
    out[at] = _ZERO + units % 10
    size_min = scale + 1 + int(scale > 0)
    return units < 10 and (units > 0 or end - at == size_min)


@leaf
def _hex_size(value: int) -> int:
    """How many hexadecimal digits a number has."""
    n, rest = 1, value >> 4
    while rest > 0:
        rest >>= 4
        n += 1
    return n


@leaf
def _fit_hex(out: Any, at: int, end: int, value: int) -> bool:
    """Write a number in hexadecimal digits to out[at:end]; returns whether it takes just that room."""
    for k in range(end - 1, at, -1):
        out[k] = _HEX[value & 15]
        value >>= 4
    out[at] = _HEX[value & 15]
    return value < 16 and (value > 0 or end - at == 1)


@leaf
def _id_size(order_id: int) -> int:
    """How many bytes one of our order ids takes."""
    sizes = _hex_size(order_id >> _SEQUENCE_BITS) + _hex_size(order_id & _SEQUENCE)
    return len(_PREFIX) + sizes + 1


@leaf
def _fit_id(out: Any, at: int, end: int, order_id: int) -> bool:
    """Write one of our order ids to out[at:end], as `order_ids.id_bytes` does; returns whether it takes just that room."""
    for k in range(len(_PREFIX)):
        out[at + k] = _PREFIX[k]
    at += len(_PREFIX)
    dash = at + _hex_size(order_id >> _SEQUENCE_BITS)
    if dash + 1 >= end:
        return False
    out[dash] = _DASH
    is_session = _fit_hex(out, at, dash, order_id >> _SEQUENCE_BITS)
    return is_session and _fit_hex(out, dash + 1, end, order_id & _SEQUENCE)


@leaf
def _copy(out: Any, at: int, source: Any, start: int, size: int) -> int:
    """Write a piece of constant text."""
    for k in range(size):
        out[at + k] = source[start + k]
    return at + size


@leaf
def _value(
    r: Rec,
    kind: int,
    request_id: int,
    timestamp_ms: int,
    order_id: int,
    old_id: int,
    price_ticks: int,
    qty_lots: int,
) -> tuple[int, int]:
    """The number that stands for a kind of value, and its decimal places."""
    if kind == PRICE:
        return price_ticks * r.price_step, r.price_scale
    if kind == QTY:
        return qty_lots * r.qty_step, r.qty_scale
    if kind == TIMESTAMP:
        return timestamp_ms, 0
    if kind == REQUEST_ID:
        return request_id, 0
    return order_id if kind == ORDER_ID else old_id, 0


@leaf
def _size(r: Rec, kind: int, number: int, scale: int) -> int:
    """How many bytes a value takes."""
    if kind == SIGNATURE:
        size: int = r.signature_size
        return size
    return _id_size(number) if kind in (ORDER_ID, OLD_ID) else _decimal_size(number, scale)


@leaf
def _fit(r: Rec, kind: int, at: int, end: int, number: int, scale: int) -> bool:
    """Write a value to r.out[at:end]; returns whether it takes just that room."""
    if kind == SIGNATURE:
        return _copy(r.out, at, r.text, SIGNATURE_AT, r.signature_size) == end
    if kind in (ORDER_ID, OLD_ID):
        return _fit_id(r.out, at, end, number)
    return _fit_decimal(r.out, at, end, number, scale)


@leaf
def _lay_out(  # noqa: PLR0913, PLR0917 - a kernel
    r: Rec,
    which: int,
    start: int,
    request_id: int,
    timestamp_ms: int,
    order_id: int,
    old_id: int,
    price_ticks: int,
    qty_lots: int,
) -> None:
    """Write the constant parts, and leave room for each value."""
    at, n = start, 0
    for p in range(r.n[which]):
        kind = r.part[which, p, 0]
        if kind == TEXT:
            at = _copy(r.out, at, r.text, r.part[which, p, 1], r.part[which, p, 2])
            continue
        number, scale = _value(
            r, kind, request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots
        )
        row = r.value[which, n]
        row[0], row[1] = kind, at
        at += _size(r, kind, number, scale)
        row[2] = at
        n += 1
    r.values[which], r.written[which] = n, at - start


@kernel
def _write(  # noqa: PLR0913, PLR0917 - a kernel
    r: Rec,
    which: int,
    start: int,
    request_id: int,
    timestamp_ms: int,
    order_id: int,
    old_id: int,
    price_ticks: int,
    qty_lots: int,
) -> int:
    """Write the payload or the frame to r.out[start]; returns how many bytes it is."""
    for _ in range(2):
        fits = r.written[which] > 0
        for n in range(r.values[which]):
            row = r.value[which, n]
            kind, at, end = row[0], row[1], row[2]
            number, scale = _value(
                r, kind, request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots
            )
            fits = fits and _fit(r, kind, at, end, number, scale)
        if fits:
            break
        _lay_out(r, which, start, request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots)
    size: int = r.written[which]
    return size


@leaf
def _put_length(out: Any, at: int, size: int) -> None:
    """The length in bits that ends a padded message, the highest byte first."""
    for k in range(8):
        out[at + k] = (8 * size) >> 8 * (7 - k) & 255


@kernel
def _take(r: Rec, at: int) -> None:
    """Take the block at r.out[at] into the state."""
    compress(r.state, r.words, r.out, at, r.rounds)


@leaf
def _sign(r: Rec, size: int) -> None:
    """Leave the payload's HMAC-SHA256 in the signature, in hexadecimal digits."""
    out = r.out
    end = size + 1
    out[size] = 0x80
    while end % BLOCK != BLOCK - 8:
        out[end] = 0
        end += 1
    _put_length(out, end, BLOCK + size)
    for k in range(8):
        r.state[k] = r.inner[k]
    for at in range(r.hashed, end, BLOCK):
        _take(r, at)
    for k in range(_DIGEST):
        out[OUTER + k] = r.state[k >> 2] >> np.uint32(24 - 8 * (k & 3)) & np.uint32(255)
    for k in range(8):
        r.state[k] = r.outer[k]
    _take(r, OUTER)
    for k in range(2 * _DIGEST):
        r.text[SIGNATURE_AT + k] = _HEX[
            r.state[k >> 3] >> np.uint32(28 - 4 * (k & 7)) & np.uint32(15)
        ]


@kernel
def absorb(request: Rec, at: int) -> None:
    """Take a block of the payload into the state: how `inner` and `outer` are made."""
    _take(request[0], at)


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
    values = request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots
    return _write(request[0], PAYLOAD, 0, *values)


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
    values = request_id, timestamp_ms, order_id, old_id, price_ticks, qty_lots
    if r.is_hmac == 1:
        _sign(r, _write(r, PAYLOAD, 0, *values))
    return _write(r, FRAME, FRAME_AT, *values)
