"""Listen keys: off unless asked for; then the old user data stream works, raw and combined."""

import pytest

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_auth import Credential
from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_listen_keys import ListenKeys
from adapters.binance_spot.sandbox_options import SandboxOptions
from tests.sandbox_client import rest, socket

_PATH = "/api/v3/userDataStream"
_ORDER = {"symbol": "MMDUSDT", "side": "BUY", "type": "LIMIT_MAKER", "price": "99", "quantity": "1"}
_HOUR_NS = 3600 * 10**9


async def test_they_are_gone_unless_asked_for() -> None:
    """As at the venue since February 2026."""
    async with Sandbox(SandboxOptions()) as sandbox, rest(sandbox) as client:
        status, body, _ = await client.signed("POST", _PATH)
        assert (status, body["code"]) == (404, -1020)


@pytest.mark.parametrize("path", ["/ws/{}", "/stream?streams={}"])
async def test_the_stream_of_a_key_tells_of_orders(path: str) -> None:
    """Start, listen, keep alive, close; the REST request needs the key alone."""
    async with Sandbox(SandboxOptions(has_listen_keys=True)) as sandbox, rest(sandbox) as client:
        _, body, _ = await client.signed("POST", _PATH)
        key = body["listenKey"]
        assert len(key) == 64
        async with socket(sandbox.stream_url + path.format(key)) as user:
            await client.signed("POST", "/api/v3/order", **_ORDER)
            event = await user.receive()
            if "stream" in event:
                assert event["stream"] == key
                event = event["data"]
            assert (event["e"], event["x"]) == ("executionReport", "NEW")
        assert (await client.signed("PUT", _PATH, listenKey=key))[:2] == (200, {})
        assert (await client.signed("DELETE", _PATH, listenKey=key))[:2] == (200, {})
        status, body, _ = await client.signed("PUT", _PATH, listenKey=key)
        assert (status, body) == (400, {"code": -1125, "msg": "This listenKey does not exist."})
        async with socket(sandbox.api_url) as api:
            answer = await api.call("userDataStream.start")
            assert len(answer["result"]["listenKey"]) == 64


def test_a_key_lives_an_hour_and_belongs_to_its_account() -> None:
    """Asking again gives the same one and another hour."""
    now_ns = 0
    keys = ListenKeys(lambda: now_ns)
    mine, other = Credential(), Credential("k", "s", "other")
    key = keys.start(mine)
    now_ns = _HOUR_NS - 1
    assert keys.start(mine) == key
    now_ns = 2 * _HOUR_NS - 2
    assert keys.is_valid(key)
    with pytest.raises(ApiError):
        keys.keep(other, key)
    now_ns = 2 * _HOUR_NS
    assert not keys.is_valid(key)
    assert keys.start(mine) != key
