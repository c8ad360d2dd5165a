"""The slow streams over real sockets: tickers, candles, averages, and all markets at once."""

import asyncio
from typing import Any

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_options import SandboxOptions
from tests.sandbox_client import socket

_NAMES = (
    "mmdusdt@miniTicker",
    "mmdusdt@ticker",
    "mmdusdt@ticker_1h",
    "mmdusdt@avgPrice",
    "mmdusdt@kline_1s",
    "mmdusdt@kline_1m",
    "mmdusdt@kline_1d@+08:00",
    "!miniTicker@arr",
    "!ticker_1h@arr",
)


async def test_every_slow_stream_speaks() -> None:
    """Each with its event type; arrays hold the markets that traded."""
    options = SandboxOptions(symbols=("MMDUSDT", "ABCUSDT"))
    heard: dict[str, Any] = {}
    ended: list[int] = []
    async with (
        Sandbox(options) as sandbox,
        socket(f"{sandbox.stream_url}/stream?streams={'/'.join(_NAMES)}") as stream,
        asyncio.timeout(20),
    ):
        while heard.keys() != set(_NAMES) or len(ended) < 2:
            message = await stream.event()
            heard[message["stream"]] = message["data"]
            if message["stream"] == "mmdusdt@kline_1s" and message["data"]["k"]["x"]:
                ended.append(message["data"]["k"]["t"])
    assert len(set(ended)) == len(ended)
    assert heard["mmdusdt@miniTicker"].keys() == set("eEscohlvq")
    assert heard["mmdusdt@ticker"].keys() == set("eEspPwxcQbBaAohlvqOCFLn")
    assert heard["mmdusdt@ticker_1h"]["e"] == "1hTicker"
    assert heard["mmdusdt@kline_1m"]["k"].keys() == set("tTsifLohlcvnxqVQB")
    assert heard["mmdusdt@kline_1d@+08:00"]["k"]["t"] // 3_600_000 % 24 == 16
    assert {t["s"] for t in heard["!miniTicker@arr"]} <= {"MMDUSDT", "ABCUSDT"}
