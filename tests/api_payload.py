"""What Binance's WebSocket API signs, as its documents put it: the measure of our own signed requests."""

from collections.abc import Mapping


def api_payload(params: Mapping[str, object]) -> str:
    """Raw k=v pairs, keys sorted, joined by &.

    Source: Binance web-socket-api.md, "SIGNED request example (HMAC)", step 1.
    """
    return "&".join(f"{name}={params[name]}" for name in sorted(params))
