"""What Binance spot signs, on REST and on the WebSocket API, and HMAC-SHA256 signatures over it."""

import hashlib
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import quote

_BLOCK_BYTES = 64


class Signer(Protocol):
    """Signs requests with one key."""

    @property
    def can_log_on(self) -> bool:
        """Whether the venue lets a session of this key log on, and then wants no more signatures."""
        ...

    def sign(self, payload: bytes) -> str:
        """Signature of a payload, as text."""
        ...


class HmacSigner:
    """Signs with one secret; its two key blocks are hashed once, which halves the cost of a signature.

    Attributes:
        inner, outer: the key blocks, for those that hash them themselves.
    """

    __slots__ = ("_inner", "_outer", "inner", "outer")

    can_log_on = False

    def __init__(self, secret: str) -> None:
        """Prepare the key. Source: RFC 2104 §2."""
        key = secret.encode()
        if len(key) > _BLOCK_BYTES:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK_BYTES, b"\0")
        self.inner = bytes(b ^ 0x36 for b in block)
        self.outer = bytes(b ^ 0x5C for b in block)
        self._inner = hashlib.sha256(self.inner)
        self._outer = hashlib.sha256(self.outer)

    def sign(self, payload: bytes) -> str:
        """Signature of a payload as 64 lower-case hex digits."""
        inner = self._inner.copy()
        inner.update(payload)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.hexdigest()


def rest_query(params: Iterable[tuple[str, object]]) -> str:
    """Query string in the given order, percent-encoded as it must be before it is signed.

    Source: Binance rest-api.md, "SIGNED Endpoint security" (encode before signing, else -1022).
    """
    return "&".join(
        f"{quote(name, safe='')}={quote(str(value), safe='')}" for name, value in params
    )


def signed_rest_query(params: Iterable[tuple[str, object]], signer: Signer) -> str:
    """Query string with its signature, percent-encoded too, as the last parameter."""
    query = rest_query(params)
    signature = quote(signer.sign(query.encode()), safe="")
    return f"{query}&signature={signature}" if query else f"signature={signature}"
