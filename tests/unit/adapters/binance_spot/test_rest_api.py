"""REST calls against a server that checks them: requests as documented, failures as what they are."""

import contextlib
import hashlib
import hmac

import pytest
from aiohttp import web

from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.rest_api import RestApi
from adapters.binance_spot.rest_orders import RestCall
from adapters.binance_spot.venue_clock import VenueClock
from mmd.errors import AuthError, CodecError, VenueError, VenueUnreachableError
from mmd.shell.clock import SystemClock
from mmd.shell.connect_error import HttpRefusedError
from mmd.shell.rest import RestClient

KEY, SECRET = "the-key", "the-secret"
CALL = RestCall("PUT", "/api/v3/order/amend/keepPriority", (("symbol", "é&B"), ("newQty", "1")))


class Server:
    """Answers every request with the next of `answers`, or the last, and keeps what came."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, str]] = [(200, "[]")]
        self.requests: list[web.Request] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        status, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        headers = {"X-MBX-USED-WEIGHT-1M": "7", "Retry-After": "9"}
        return web.Response(status=status, text=text, headers=headers)

    @property
    def last(self) -> web.Request:
        return self.requests[-1]


@contextlib.asynccontextmanager
async def served(*answers: tuple[int, str], signed: bool = True):
    server, clock = Server(), SystemClock()
    server.answers = list(answers) or server.answers
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    client = RestClient(f"http://127.0.0.1:{runner.addresses[0][1]}", clock)
    api = RestApi(
        client,
        clock,
        VenueClock(clock),
        api_key=KEY,
        signer=HmacSigner(SECRET) if signed else None,
        recv_window_ms=1_500,
    )
    try:
        yield api, server
    finally:
        await api.close()
        await runner.cleanup()


SIGNED = [
    (lambda a: a.open_orders("BTCUSDT"), "GET", "openOrders", {"symbol": "BTCUSDT"}),
    (lambda a: a.newest_trade("BTCUSDT"), "GET", "myTrades", {"symbol": "BTCUSDT", "limit": "1"}),
    (
        lambda a: a.trades("BTCUSDT", 5),
        "GET",
        "myTrades",
        {"symbol": "BTCUSDT", "fromId": "5", "limit": "1000"},
    ),
    (lambda a: a.trades_of("BTCUSDT", 9), "GET", "myTrades", {"symbol": "BTCUSDT", "orderId": "9"}),
    (
        lambda a: a.cancel("BTCUSDT", "x y"),
        "DELETE",
        "order",
        {"symbol": "BTCUSDT", "origClientOrderId": "x y"},
    ),
    (
        lambda a: a.carry_out(CALL),
        "PUT",
        "order/amend/keepPriority",
        {"symbol": "é&B", "newQty": "1"},
    ),
]


@pytest.mark.parametrize(("call", "method", "path", "params"), SIGNED, ids=range(len(SIGNED)))
async def test_signed_calls(call, method, path, params):
    """Method, path, parameters, stamp, key, and a signature over exactly the bytes that were sent."""
    async with served() as (api, server):
        await call(api)
        request = server.last
        assert (request.method, request.path) == (method, f"/api/v3/{path}")
        assert request.headers["X-MBX-APIKEY"] == KEY
        sent, _, signature = request.raw_path.partition("?")[2].rpartition("&signature=")
        assert hmac.new(SECRET.encode(), sent.encode(), hashlib.sha256).hexdigest() == signature
        assert dict(request.query).items() >= params.items()
        assert request.query["recvWindow"] == "1500"
        assert abs(int(request.query["timestamp"]) - SystemClock().unix_ns() // 10**6) < 5_000


async def test_public_calls_carry_no_key():
    """Depth and rules are for everybody."""
    async with served((200, '{"symbols":[]}'), signed=False) as (api, server):
        await api.exchange_info(["A", "B"])
        assert server.last.query == {"symbols": '["A","B"]'}
        await api.exchange_info([])
        assert server.last.query_string == ""
        assert await api.depth("A", 100) == b'{"symbols":[]}'
        assert all("X-MBX-APIKEY" not in r.headers for r in server.requests)
        with pytest.raises(AssertionError, match="observe mode"):
            await api.account()


@pytest.mark.parametrize(
    ("status", "text", "error", "message"),
    [
        (400, '{"code":-1121,"msg":"Invalid symbol."}', VenueError, "-1121 Invalid symbol"),
        (401, '{"code":-2015,"msg":"Invalid API-key."}', AuthError, "API key was refused"),
        (403, "<html>", VenueError, "refused with HTTP 403"),
        (500, "oops", VenueUnreachableError, "internal error, HTTP 500"),
        (503, '{"code":-1008,"msg":"Busy"}', VenueUnreachableError, "HTTP 503"),
        (429, "{}", HttpRefusedError, "wait 9 s"),
        (418, "{}", HttpRefusedError, "wait 9 s"),
        (200, "{", CodecError, "openOrders"),
    ],
)
async def test_failures_are_typed(status, text, error, message):
    """Refused, unreachable, turned away, not understood: each its own error, on one line."""
    async with served((status, text)) as (api, _):
        with pytest.raises(error, match=message) as caught:
            await api.open_orders("BTCUSDT")
        assert "\n" not in str(caught.value)


async def test_commands_come_back_in_the_apis_form():
    """Success, refusal with and without legs, a gateway's error, nonsense, turned away, no answer."""
    legs = '{"code":-2021,"msg":"x","data":{"cancelResult":"SUCCESS","newOrderResult":"FAILURE"}}'
    answers = [(200, '{"a":1}'), (400, '{"code":-2010,"msg":"no"}'), (409, legs), (502, "<html>")]
    async with served(*answers, (504, '{"code":-1007,"msg":"Timeout"}'), (403, "<html>")) as (
        api,
        _,
    ):
        frames = [await api.carry_out(CALL) for _ in range(5)]
        assert [f.status for f in frames] == [200, 400, 409, 502, 504]
        assert bytes(frames[0].result) == b'{"a":1}'
        assert [f.error.code if f.error else None for f in frames] == [
            None,
            -2010,
            -2021,
            None,
            -1007,
        ]
        assert frames[2].error.data.cancel_result == "SUCCESS"
        with pytest.raises(CodecError, match="keepPriority"):
            await api.carry_out(CALL)
    async with served((429, "{}")) as (api, server):
        for _ in range(2):
            with pytest.raises(HttpRefusedError):
                await api.carry_out(CALL)
        assert len(server.requests) == 1, "nothing is sent before Retry-After has passed"


async def test_headers_are_shown_whatever_the_answer():
    """The rate limits in them count for refusals too."""
    seen = []
    async with served((400, '{"code":-1,"msg":"x"}')) as (api, _):
        api.on_headers = lambda headers: seen.append(headers["x-mbx-used-weight-1m"])
        for call in (api.account(), api.depth("A", 100)):
            with pytest.raises(VenueError):
                await call
        await api.carry_out(CALL)
    assert seen == ["7"] * 3


async def test_clock_is_taken_from_the_fastest_of_three_trips():
    """A slow answer says less about when the server read its clock."""
    now_ms = SystemClock().unix_ns() // 10**6
    async with served((200, f'{{"serverTime":{now_ms + 60_000}}}')) as (api, server):
        offset = await api.measure_clock("v")
        assert len(server.requests) == 3
        assert abs(offset.offset_ns - 60 * 10**9) < 10**9
        assert 0 < offset.round_trip_ns < 10**9


@pytest.mark.parametrize("server_ms", ["0", "-1", "9" * 19, "9" * 400])
async def test_a_time_that_is_none_leaves_the_clock_alone(server_ms: str):
    """Requests would be signed by it."""
    async with served((200, f'{{"serverTime":{server_ms}}}')) as (api, _):
        with pytest.raises(CodecError, match="/api/v3/time"):
            await api.measure_clock("v")
        assert abs(api._venue_clock.now_ms() - SystemClock().unix_ns() // 10**6) < 10_000
