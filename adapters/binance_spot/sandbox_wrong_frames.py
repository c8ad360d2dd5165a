"""Stream messages that are wrong on purpose: what a fault makes of a payload."""

import re
from decimal import Decimal
from typing import Final

import msgspec

from adapters.binance_spot.sandbox_faults import FrameFault

_OVERSIZE: Final = 8 * 2**20 + 1
_NOBODY: Final = b'"s":"NOSUCHUSDT"'
_SYMBOL = re.compile(rb'"s":"[^"]*"')
_ABOVE: Final = Decimal("1.05")
"""How far above a level of this message the crossing bid stands."""
_UNKNOWN: Final = (
    b'{"stream":"mmdusdt@tomorrow","data":{"e":"somethingNew","E":1,"s":"MMDUSDT","x":[{}]}}'
)


def damaged(payload: bytes, fault: FrameFault) -> bytes:
    """The payload with the fault in it; as it is where the fault is about something else."""
    match fault:
        case FrameFault.CORRUPT:
            return payload[: len(payload) // 2]
        case FrameFault.WRONG_SYMBOL:
            return _SYMBOL.sub(_NOBODY, payload)
        case FrameFault.OVERSIZED:
            return b" " * _OVERSIZE + payload
        case FrameFault.CROSSED:
            return _crossed(payload)
        case _:
            return payload


def unknown_event() -> bytes:
    """A message of a kind that did not exist when any client was written."""
    return _UNKNOWN


def unknown_account_event(subscription_id: int) -> bytes:
    """The same for an account's events."""
    event = {"e": "somethingOfYours", "E": 1, "x": [{}]}
    return msgspec.json.encode({"subscriptionId": subscription_id, "event": event})


def _crossed(payload: bytes) -> bytes:
    """A depth diff with one more bid, above every level of the message; other messages as they are."""
    message = msgspec.json.decode(payload)
    data = message.get("data", message)
    levels = [Decimal(price) for side in ("b", "a") for price, _ in data.get(side, ())]
    if data.get("e") != "depthUpdate" or not levels:
        return payload
    whole = int(max(levels) * _ABOVE) + 1  # a whole number lies on every grid of prices
    data["b"].append([f"{whole}.00000000", "1.00000000"])
    return msgspec.json.encode(message)
