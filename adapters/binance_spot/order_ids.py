"""Our order ids as Binance's clientOrderId: `mmd<session>-<sequence>`, both in hex, at most 20 characters."""

from functools import lru_cache

from mmd.core.units import SESSION_MAX, ClientOrderId, client_order_id, session_of

PREFIX = "mmd"
"""What tells our orders from all others in the account."""
_FORM = f"{PREFIX}%x-%x".encode()
_SEQUENCES = client_order_id(1, 0)
_REMEMBERED = 4096
"""Texts kept: the venue names an order several times."""
NO_ORDER = ClientOrderId(0)
"""Stands for an order that is not ours, and in answers to CancelAll for no order in particular."""


def id_bytes(order_id: ClientOrderId) -> bytes:
    """The text form of an id as a request carries it.

    Not remembered: a new order's id was never asked for, and to take a text up costs more than to write it.
    """
    return _FORM % divmod(order_id, _SEQUENCES)


@lru_cache(_REMEMBERED)
def encode_id(order_id: ClientOrderId) -> str:
    """Text form of an id: 'mmd5f3a2b1c-1f' is the 31st order of session 5f3a2b1c."""
    return id_bytes(order_id).decode()


def decode_id(text: str) -> ClientOrderId | None:
    """The id that `encode_id` would write as `text`; None for the id of anybody else's order."""
    if not text.startswith(PREFIX):
        return None
    session, _, sequence = text[len(PREFIX) :].partition("-")
    try:
        order_id = client_order_id(int(session, 16), int(sequence, 16))
    except ValueError:
        return None
    if order_id == NO_ORDER or session_of(order_id) > SESSION_MAX:
        return None
    return order_id if encode_id(order_id) == text else None  # no other spelling of it is ours
