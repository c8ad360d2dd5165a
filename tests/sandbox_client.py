"""A bare client of the embedded exchange for tests; it signs on its own, as a stranger would."""

import hashlib
import hmac
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec

from adapters.binance_spot.sandbox import Sandbox
from mmd.shell.clock import SystemClock

KEY, SECRET = "embedded-key", "embedded-secret"
WAIT_S = 10.0


def sign(payload: str, secret: str = SECRET) -> str:
    """HMAC-SHA256 in hex."""
    return hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()


def now_ms() -> int:
    """Wall time."""
    return SystemClock().unix_ns() // 1_000_000


class RestClient:
    """Signed and public REST requests; answers as (status, body, headers)."""

    def __init__(self, session: aiohttp.ClientSession, sandbox: Sandbox) -> None:
        self._session = session
        self._url = sandbox.rest_url

    async def public(self, path: str, **params: object) -> tuple[int, Any, Any]:
        """A request without a key."""
        return await self._send("GET", f"{path}?{urlencode(params)}", {}, None)

    async def signed(
        self, verb: str, path: str, *, in_body: bool = False, key: str = KEY, **params: object
    ) -> tuple[int, Any, Any]:
        """A signed request; `signature` and `timestamp` may be given to be wrong."""
        signature = params.pop("signature", None)
        params.setdefault("timestamp", now_ms())
        text = urlencode(params)
        text += f"&signature={signature if signature is not None else sign(text)}"
        headers = {"X-MBX-APIKEY": key} if key else {}
        if in_body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return await self._send(verb, path, headers, text)
        return await self._send(verb, f"{path}?{text}", headers, None)

    async def _send(
        self, verb: str, path: str, headers: dict[str, str], body: str | None
    ) -> tuple[int, Any, Any]:
        async with self._session.request(
            verb, self._url + path, headers=headers, data=body
        ) as response:
            return response.status, msgspec.json.decode(await response.read()), response.headers


class Socket:
    """A WebSocket whose messages are JSON; requests get the answer with their id, events queue up."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.events: list[Any] = []
        self._ids = itertools.count(1)

    async def receive(self) -> Any:
        """The next message."""
        return msgspec.json.decode(await self.ws.receive_str(timeout=WAIT_S))

    async def event(self) -> Any:
        """The next message that is no answer."""
        return self.events.pop(0) if self.events else await self.receive()

    async def request(self, **message: object) -> Any:
        """Send a request and wait for its answer."""
        message.setdefault("id", next(self._ids))
        await self.ws.send_str(msgspec.json.encode(message).decode())
        while True:
            received = await self.receive()
            if "id" in received and received["id"] == message["id"]:
                return received
            self.events.append(received)

    async def call(self, method: str, *, signed: bool = True, **params: object) -> Any:
        """A WebSocket API request, signed over its sorted parameters."""
        if signed:
            params.setdefault("apiKey", KEY)
            params.setdefault("timestamp", now_ms())
            payload = "&".join(f"{k}={params[k]}" for k in sorted(params) if k != "signature")
            params.setdefault("signature", sign(payload))
        return await self.request(method=method, params=params)


@asynccontextmanager
async def rest(sandbox: Sandbox) -> AsyncIterator[RestClient]:
    """A REST client for the length of a test."""
    async with aiohttp.ClientSession() as session:
        yield RestClient(session, sandbox)


@asynccontextmanager
async def socket(url: str) -> AsyncIterator[Socket]:
    """A WebSocket for the length of a test."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as ws:
        yield Socket(ws)
