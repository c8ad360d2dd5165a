"""Who may ask: API keys, request signatures and request times, as the venue checks them.

Source: Binance spot API, rest-api.md and web-socket-api.md, "Request security", "Timing security".
"""

import base64
import hashlib
import hmac
import importlib
from collections.abc import Mapping

import msgspec

from adapters.binance_spot.sandbox_errors import ApiError, mandatory

DEFAULT_KEY = "embedded-key"
DEFAULT_SECRET = "embedded-secret"  # noqa: S105 - public and worthless by design
_WINDOW_MS = 5000.0
_WINDOW_MS_MAX = 60_000.0
_AHEAD_MS_MAX = 1000.0
_MICROSECONDS_FROM = 10**14
_PEM = "-----BEGIN PUBLIC KEY-----"


class Credential(msgspec.Struct, frozen=True):
    """An API key. The secret is shared (HMAC-SHA256), or an Ed25519 public key in PEM form."""

    key: str = DEFAULT_KEY
    secret: str = DEFAULT_SECRET
    account: str = "main"
    trade_group: int = -1
    """Accounts of one group do not trade with each other; -1 is none."""

    @property
    def is_ed25519(self) -> bool:
        """Whether the client signs with a private key of its own."""
        return self.secret.startswith(_PEM)


class Authority:
    """Checks signed requests against known keys and the exchange's time."""

    def __init__(self, credentials: list[Credential]) -> None:
        self._by_key = {c.key: c for c in credentials}

    def credential(self, key: str) -> Credential:
        """The credential of a key. Raises: ApiError -2014 without one, -2015 for an unknown one."""
        if not key:
            raise ApiError(-2014, "API-key format invalid.", 401)
        found = self._by_key.get(key)
        if found is None:
            raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return found

    def verify(self, credential: Credential, payload: str, signature: str | None) -> None:
        """Raises: ApiError -1102 without a signature, -1022 if it is not the payload's."""
        if not signature:
            raise mandatory("signature")
        check = _ed25519_signed if credential.is_ed25519 else _hmac_signed
        if not check(credential.secret, payload.encode(), signature):
            raise ApiError(-1022, "Signature for this request is not valid.")


def check_time(timestamp: str | None, recv_window: str | None, now_ns: int) -> None:
    """Raises: ApiError -1102, -1131 or -1021 if the request's time is missing, or not close to now_ns."""
    if not timestamp or not timestamp.isdigit():
        raise mandatory("timestamp")
    sent = int(timestamp)
    sent_ms = sent / 1000.0 if sent >= _MICROSECONDS_FROM else float(sent)
    window_ms = _window(recv_window)
    now_ms = now_ns / 1e6
    if sent_ms >= now_ms + _AHEAD_MS_MAX:
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    # The venue's clock ticks in whole milliseconds; so does the difference that it compares.
    if int(now_ms) - sent_ms > window_ms:
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _window(text: str | None) -> float:
    if text is None or text == "":
        return _WINDOW_MS
    try:
        window = float(text)
    except ValueError:
        raise mandatory("recvWindow") from None
    if not 0.0 <= window <= _WINDOW_MS_MAX:
        raise ApiError(-1131, "recvWindow must be less than 60000.")
    return window


def signed_query(query: str, body: str) -> tuple[str, str | None]:
    """What a REST request signs (query and body as sent, less the signature), and its signature."""
    signature = None
    kept: list[str] = []
    for part in (query, body):
        pairs = part.split("&") if part else []
        for pair in pairs:
            if pair.startswith("signature="):
                signature = pair.removeprefix("signature=")
        kept.append("&".join(p for p in pairs if not p.startswith("signature=")))
    return "".join(kept), signature


def signed_params(params: Mapping[str, str]) -> str:
    """What a WebSocket API request signs: its parameters sorted by name, less the signature."""
    return "&".join(f"{k}={params[k]}" for k in sorted(params) if k != "signature")


def _hmac_signed(secret: str, payload: bytes, signature: str) -> bool:
    expected = hmac.new(secret.encode(), payload, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.lower().encode())


def _ed25519_signed(pem: str, payload: bytes, signature: str) -> bool:
    try:
        serialization = importlib.import_module("cryptography.hazmat.primitives.serialization")
        invalid = importlib.import_module("cryptography.exceptions").InvalidSignature
    except ImportError:
        raise ApiError(
            -1022, "Ed25519 keys need the 'cryptography' package on this server."
        ) from None
    try:
        key = serialization.load_pem_public_key(pem.encode())
        key.verify(
            base64.b64decode(signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")),
            payload,
        )
    except (invalid, ValueError):
        return False
    return True
