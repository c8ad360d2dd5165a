"""A plain maker as one writes it with ccxt.pro: three levels a side round the mid, requoted on every update.

Usage: python -m tests.bench.ccxt_maker REST_URL STREAM_URL API_URL SYMBOL HALF_SPREAD_BPS
"""

import asyncio
import sys
from typing import Any

import ccxt.pro

LEVELS, SPACING_BPS, SIZE = 3, 2.0, 1.0


def exchange(rest: str, stream: str, api: str) -> Any:
    """ccxt's Binance client pointed at the embedded exchange."""
    client = ccxt.pro.binance(
        {
            "apiKey": "embedded-key",
            "secret": "embedded-secret",
            "enableRateLimit": False,
            "options": {
                "defaultType": "spot",
                "fetchMarkets": {"types": ["spot"]},
                "fetchCurrencies": False,
                "fetchMargins": False,
            },
        }
    )
    client.has["fetchCurrencies"] = False
    client.urls["api"]["public"] = client.urls["api"]["private"] = f"{rest}/api/v3"
    client.urls["api"]["ws"]["spot"] = f"{stream}/ws"
    client.urls["api"]["ws"]["ws-api"]["spot"] = api
    return client


async def main(rest: str, stream: str, api: str, symbol: str, half_spread_bps: float) -> None:
    """Quote until killed."""
    client = exchange(rest, stream, api)
    await client.load_markets()
    working: dict[tuple[str, int], str] = {}

    async def quote(side: str, level: int, price: float) -> None:
        key = (side, level)
        old = working.get(key)
        if old is None:
            order = await client.create_order_ws(
                symbol, "limit", side, SIZE, price, {"postOnly": True}
            )
        else:
            params = {"postOnly": True}
            order = await client.edit_order_ws(old, symbol, "limit", side, SIZE, price, params)
        working[key] = order["id"]

    print("ready", flush=True)
    while True:
        book = await client.watch_order_book(symbol)
        mid = (book["bids"][0][0] + book["asks"][0][0]) / 2
        quotes = []
        for level in range(LEVELS):
            distance = mid * (half_spread_bps + SPACING_BPS * level) / 1e4
            quotes += [quote("buy", level, mid - distance), quote("sell", level, mid + distance)]
        await asyncio.gather(*quotes)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:5], float(sys.argv[5])))
