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
