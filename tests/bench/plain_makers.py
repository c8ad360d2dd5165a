"""What one writes by hand: a client that only answers, and a maker with websockets and orjson and no model.

Usage: python -m tests.bench.plain_makers noop|orjson STREAM_URL API_URL SYMBOL HALF_SPREAD_BPS
"""

import asyncio
import hashlib
import hmac
import sys
import time
from typing import Any

import orjson
import uvloop
from websockets.asyncio.client import ClientConnection, connect

KEY, SECRET = "embedded-key", b"embedded-secret"
LEVELS, SPACING_BPS = 3, 2.0


def signed(method: str, request_id: str, **params: str) -> str:
    """A signed request of the WebSocket API."""
    params |= {"apiKey": KEY, "timestamp": str(int(time.time() * 1000))}
    payload = "&".join(f"{k}={params[k]}" for k in sorted(params))
    params["signature"] = hmac.new(SECRET, payload.encode(), hashlib.sha256).hexdigest()
    return orjson.dumps({"id": request_id, "method": method, "params": params}).decode()


class Maker:
    """Three post-only orders a side round the mid, replaced on every update."""

    def __init__(self, api: ClientConnection, symbol: str, half_spread_bps: float) -> None:
        self.api, self.symbol, self.half_spread_bps = api, symbol, half_spread_bps
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.working: dict[tuple[str, int], str] = {}
        self.sequence = 0

    async def on_depth(self, data: dict[str, Any]) -> None:
        """Update the dicts, find the mid, requote."""
        for side, rows in ((self.bids, data["b"]), (self.asks, data["a"])):
            for price, quantity in rows:
                if float(quantity):
                    side[float(price)] = float(quantity)
                else:
                    side.pop(float(price), None)
        mid = (max(self.bids) + min(self.asks)) / 2
        for level in range(LEVELS):
            distance = mid * (self.half_spread_bps + SPACING_BPS * level) / 1e4
            await self.quote("BUY", level, mid - distance)
            await self.quote("SELL", level, mid + distance)

    async def quote(self, side: str, level: int, price: float) -> None:
        """Place, or replace what stands there."""
        self.sequence += 1
        new = f"m{self.sequence}"
        order = {
            "symbol": self.symbol,
            "side": side,
            "type": "LIMIT_MAKER",
            "price": f"{price:.2f}",
            "quantity": "1.000",
            "newClientOrderId": new,
        }
        old = self.working.get((side, level))
        if old is None:
            request = signed("order.place", new, **order)
        else:
            request = signed(
                "order.cancelReplace",
                new,
                cancelReplaceMode="STOP_ON_FAILURE",
                cancelOrigClientOrderId=old,
                **order,
            )
        self.working[side, level] = new
        await self.api.send(request)


async def drain(api: ClientConnection) -> None:
    """Read the answers, as one must."""
    async for message in api:
        orjson.loads(message)


async def main(kind: str, stream: str, api_url: str, symbol: str, half_spread_bps: float) -> None:
    """Answer every depth frame until killed."""
    url = f"{stream}/stream?streams={symbol.lower()}@depth@100ms"
    async with connect(api_url, compression=None) as api, connect(url, compression=None) as feed:
        reader = asyncio.create_task(drain(api))
        maker = Maker(api, symbol, half_spread_bps)
        nothing = signed("order.cancel", "noop", symbol=symbol, origClientOrderId="none")
        async for message in feed:
            if kind == "noop":
                await api.send(nothing)
            else:
                await maker.on_depth(orjson.loads(message)["data"])
        reader.cancel()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:5], float(sys.argv[5])))
