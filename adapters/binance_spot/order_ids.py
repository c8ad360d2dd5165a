"""Our order ids as Binance's clientOrderId: `mmd<session>-<sequence>`, both in hex, at most 36 characters."""

from mmd.core.units import ClientOrderId, client_order_id, sequence_of, session_of

PREFIX = "mmd"
"""What tells our orders from all others in the account."""
NO_ORDER = ClientOrderId(0)
"""Stands for an order that is not ours, and in answers to CancelAll for no order in particular."""


def encode_id(order_id: ClientOrderId) -> str:
    """Text form of a 128-bit id."""
    return f"{PREFIX}{session_of(order_id):x}-{sequence_of(order_id):x}"


def decode_id(text: str) -> ClientOrderId | None:
    """The id that `encode_id` would write as `text`; None for the id of anybody else's order."""
    if not text.startswith(PREFIX):
        return None
    session, _, sequence = text[len(PREFIX) :].partition("-")
    try:
        order_id = client_order_id(int(session, 16), int(sequence, 16))
    except ValueError:
        return None
    return order_id if order_id > 0 and encode_id(order_id) == text else None
