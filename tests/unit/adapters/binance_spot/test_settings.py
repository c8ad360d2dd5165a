"""Settings: the venue's own addresses by default, wrong values named, secrets never shown."""

import pytest
from pydantic import ValidationError

from adapters.binance_spot.settings import BinanceSpotSettings

KEYS = {"api_key": "the-key", "api_secret": "the-secret"}


def test_defaults_are_the_real_venue():
    """Public addresses, a recvWindow of two seconds."""
    settings = BinanceSpotSettings(instruments=("btcusdt",), **KEYS)
    assert settings.instruments == ("BTCUSDT",)
    assert settings.rest_url == "https://api.binance.com"
    assert settings.recv_window_ms == 2_000
    assert "the-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"api_key": ""}, "expected both, or observe = true"),
        ({"recv_window_ms": 2_001}, "recv_window_ms"),
        ({"recv_window_ms": 2_000, "request_timeout_s": 1.0}, "at least recv_window_ms"),
        ({"instruments": ("A", "a")}, "each symbol once"),
        ({"rest_url": "ftp://x"}, "rest_url"),
        ({"rest_url": "https://x/path"}, "rest_url"),
        ({"stream_url": "https://x"}, "stream_url"),
        ({"api_url": "x"}, "api_url"),
        ({"unknown": 1}, "unknown"),
        ({"silence_timeout_s": 0}, "silence_timeout_s"),
    ],
)
def test_wrong_values_are_named_without_secrets(values, text):
    """Each error names its key; the secret is in none."""
    with pytest.raises(ValidationError, match=text) as caught:
        BinanceSpotSettings(**{"instruments": ("BTCUSDT",), **KEYS, **values})
    assert "the-secret" not in str(caught.value)


def test_observing_needs_no_keys():
    """Market data is public."""
    assert BinanceSpotSettings(instruments=("BTCUSDT",), observe=True).observe


def test_only_live_may_reach_the_real_venue():
    """The defaults are the real venue's; a sandbox that forgot an address is refused, the testnet is not."""
    for key in ("rest_url", "stream_url", "api_url"):
        testnet = {
            "rest_url": "https://testnet.binance.vision",
            "stream_url": "wss://stream.testnet.binance.vision",
            "api_url": "wss://ws-api.testnet.binance.vision/ws-api/v3",
        }
        context = {"environment": "sandbox"}
        BinanceSpotSettings.model_validate(KEYS | testnet, context=context)
        del testnet[key]
        with pytest.raises(ValidationError, match=f"{key}: .* takes real orders"):
            BinanceSpotSettings.model_validate(KEYS | testnet, context=context)
    demo = {
        "rest_url": "https://demo-api.binance.com",
        "stream_url": "wss://demo-stream.binance.com",
        "api_url": "wss://demo-ws-api.binance.com/ws-api/v3",
    }
    BinanceSpotSettings.model_validate(KEYS | demo, context={"environment": "sandbox"})
    BinanceSpotSettings.model_validate({"observe": True}, context={"environment": "sandbox"})
