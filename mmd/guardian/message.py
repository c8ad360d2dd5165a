"""What a daemon and its guardian say to each other: one JSON line each way, over a local socket or TCP.

    {"action":"renew","session":"5f3a2b1c","number":17,"lease_ms":3000,"without":[],"addresses":[],"mac":"9c1…"}
    {"ok":true,"losses":0,"canceled":0}

The token never crosses the wire: `mac` is HMAC-SHA256 of the rest under it, and numbers only grow, so that a line that was
overheard cannot be said again. On a local socket, which only its owner can open, the token is empty.
"""

import hashlib
import hmac
from typing import Final, Literal

import msgspec

LINE_MAX: Final = 4_096
Action = Literal["renew", "release"]
"""Go on; leave, because our orders are gone."""


class LeaseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a daemon says of itself."""

    action: Action
    session: str
    number: int
    """Grows from request to request, of later sessions too."""
    lease_ms: int
    without: tuple[str, ...] = ()
    """Venues where the daemon cannot take its orders back: there nothing is renewed."""
    addresses: tuple[str, ...] = ()
    """Where embedded exchanges listen, which only who started them knows; empty for all other venues."""
    mac: str = ""


class LeaseAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What the guardian makes of it."""

    ok: bool
    losses: int = 0
    canceled: int = 0
    error: str = ""


_requests: msgspec.json.Decoder[LeaseRequest] = msgspec.json.Decoder(LeaseRequest)
_answers: msgspec.json.Decoder[LeaseAnswer] = msgspec.json.Decoder(LeaseAnswer)


def signed_line(request: LeaseRequest, token: str) -> bytes:
    """A request as it goes over the wire."""
    mac = _mac(request, token)
    return msgspec.json.encode(msgspec.structs.replace(request, mac=mac)) + b"\n"


def read_request(line: bytes, token: str) -> LeaseRequest | None:
    """A request whose mac is right; None for anything else."""
    try:
        request = _requests.decode(line)
    except msgspec.DecodeError:
        return None
    return request if hmac.compare_digest(request.mac, _mac(request, token)) else None


def answer_line(answer: LeaseAnswer) -> bytes:
    """An answer as it goes over the wire."""
    return msgspec.json.encode(answer) + b"\n"


def read_answer(line: bytes) -> LeaseAnswer:
    """An answer. Raises: ValueError if it is none."""
    return _answers.decode(line)


def _mac(request: LeaseRequest, token: str) -> str:
    bare = msgspec.json.encode(msgspec.structs.replace(request, mac=""))
    return hmac.new(token.encode(), bare, hashlib.sha256).hexdigest()
