"""The fault control endpoint: POST /control/faults with a token, from this machine only.

One JSON object orders one fault; `fault` says which, the other members are those of its structure below.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Callable
from typing import Annotated, Any, Literal, assert_never, get_args

import msgspec
from aiohttp import web

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import Connection, Ending
from adapters.binance_spot.sandbox_errors import ApiError
from adapters.binance_spot.sandbox_faults import FrameFault, FrameFaults, RequestFaults
from adapters.binance_spot.sandbox_lookup import STATUS_NAMES, Lookup
from adapters.binance_spot.sandbox_numbers import atoms_of_text
from adapters.binance_spot.sandbox_params import Params
from mmd.core.units import NANOS_PER_SECOND
from mmd.exchange.executions import BalanceChange, ExchangeEvent

PATH = "/control/faults"
TOKEN_HEADER = "X-MMD-Token"  # noqa: S105 - a header's name
_Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=86_400)]
Target = Literal["streams", "api", "all"]
_STATUSES = {name: status for status, name in STATUS_NAMES.items()}


class Cut(msgspec.Struct, tag_field="fault", tag="cut", forbid_unknown_fields=True):
    """End connections: with a close frame, with a TCP reset, or by hanging up."""

    target: Target = "all"
    how: Literal["close", "reset", "drop"] = "reset"


class Silence(msgspec.Struct, tag_field="fault", tag="silence", forbid_unknown_fields=True):
    """Send nothing on connections that are open now, not even pongs."""

    seconds: _Seconds
    target: Target = "all"


class Frames(msgspec.Struct, tag_field="fault", tag="frames", forbid_unknown_fields=True):
    """Leave out, repeat, swap or damage the next messages of a stream.

    '*' is any public stream, 'userData' the accounts' events, which know the first five kinds only.
    """

    kind: FrameFault
    stream: str = "*"
    count: _Count = 1


class Delay(msgspec.Struct, tag_field="fault", tag="delay", forbid_unknown_fields=True):
    """Answer the next requests late."""

    ms: Annotated[float, msgspec.Meta(gt=0, le=600_000)]
    count: _Count = 1


class LoseAcks(msgspec.Struct, tag_field="fault", tag="lose_acks", forbid_unknown_fields=True):
    """Carry out the next order requests and do not answer them."""

    count: _Count = 1


class LoseRequests(
    msgspec.Struct, tag_field="fault", tag="lose_requests", forbid_unknown_fields=True
):
    """Neither carry out nor answer the next order requests."""

    count: _Count = 1


class Refuse(msgspec.Struct, tag_field="fault", tag="refuse", forbid_unknown_fields=True):
    """Refuse the next order requests with a code of the venue's."""

    code: Annotated[int, msgspec.Meta(ge=-9_999, le=-1_000)]
    message: str = "refused on command"
    status: Annotated[int, msgspec.Meta(ge=400, le=499)] = 400
    count: _Count = 1


class Handshakes(msgspec.Struct, tag_field="fault", tag="handshakes", forbid_unknown_fields=True):
    """Answer the next WebSocket handshakes with an HTTP status."""

    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 503
    count: _Count = 1
    target: Target = "all"


class StaleSnapshots(
    msgspec.Struct, tag_field="fault", tag="stale_snapshots", forbid_unknown_fields=True
):
    """Give the next order books over REST as they were when last asked for."""

    count: _Count = 1


class Fail(msgspec.Struct, tag_field="fault", tag="fail", forbid_unknown_fields=True):
    """Answer the next requests with a server error, after (is_done) or instead of carrying them out."""

    status: Annotated[int, msgspec.Meta(ge=500, le=599)] = 504
    count: _Count = 1
    is_done: bool = False


class Limit(msgspec.Struct, tag_field="fault", tag="limit", forbid_unknown_fields=True):
    """Refuse every request for a time with 429, or with 418."""

    seconds: _Seconds
    status: Literal[429, 418] = 429


class Status(msgspec.Struct, tag_field="fault", tag="status", forbid_unknown_fields=True):
    """Change a symbol's status."""

    symbol: str
    status: Literal["TRADING", "CANCEL_ONLY", "BREAK"]


class Shift(msgspec.Struct, tag_field="fault", tag="clock", forbid_unknown_fields=True):
    """Set the exchange's clock wrong by so much; 0 sets it right."""

    shift_ms: Annotated[int, msgspec.Meta(ge=-86_400_000, le=86_400_000)]


class Transfer(msgspec.Struct, tag_field="fault", tag="transfer", forbid_unknown_fields=True):
    """Pay an amount of an asset into an account, or out of it with a minus, as a person does; no trade explains it."""

    asset: str
    amount: Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]
    account: str = "main"


class Shutdown(msgspec.Struct, tag_field="fault", tag="shutdown", forbid_unknown_fields=True):
    """Tell every connection of a shutdown, which does not come."""


RequestFault = Delay | LoseAcks | LoseRequests | Refuse | Fail | Limit | Handshakes | StaleSnapshots
Fault = Cut | Silence | Frames | RequestFault | Status | Shift | Transfer | Shutdown
KINDS: tuple[type[Fault], ...] = get_args(Fault)
_decode = msgspec.json.Decoder(Fault).decode


class ControlServer:
    """Carries out faults.

    Args:
        token: What the header X-MMD-Token must be.
        connections: Open connections of a target.
        tell_shutdown: Sends serverShutdown to every connection.
        publish: Hands what happened to an account to those concerned.
    """

    def __init__(
        self,
        token: str,
        frames: FrameFaults,
        requests: RequestFaults,
        lookup: Lookup,
        clock: ExchangeClock,
        connections: Callable[[Target], list[Connection]],
        tell_shutdown: Callable[[], None],
        publish: Callable[[list[ExchangeEvent]], None],
    ) -> None:
        self._token = token
        self._frames = frames
        self._requests = requests
        self._lookup = lookup
        self._clock = clock
        self._connections = connections
        self._tell_shutdown = tell_shutdown
        self._publish = publish

    async def handle(self, request: web.Request) -> web.Response:
        """Carry out one fault: 204, or 400, 401 or 403 with the reason."""
        if request.remote is None or not ipaddress.ip_address(request.remote).is_loopback:
            return web.Response(status=403, text="faults: only from this machine\n")
        given = request.headers.get(TOKEN_HEADER, "")
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return web.Response(status=401, text=f"faults: expected the token in {TOKEN_HEADER}\n")
        try:
            fault = _decode(await request.read())
            self.apply(fault)
        except (msgspec.DecodeError, ApiError) as error:
            return web.Response(status=400, text=f"faults: {error}\n")
        return web.Response(status=204)

    def apply(self, fault: Fault) -> None:
        """Carry out a fault. Raises: ApiError for an unknown symbol, account or asset, and for more than is free."""
        match fault:
            case Cut():
                for connection in self._connections(fault.target):
                    connection.end(Ending(fault.how))
            case Silence():
                self._silence(self._connections(fault.target), fault.seconds)
            case Frames():
                self._frames.order(fault.kind, fault.stream, fault.count)
            case Status():
                market = self._lookup.market(Params({"symbol": fault.symbol}))
                market.status = _STATUSES[fault.status]
            case Shift():
                self._clock.shift_ns = fault.shift_ms * 1_000_000
            case Transfer():
                self._transfer(fault)
            case Shutdown():
                self._tell_shutdown()
            case _:
                self._apply_to_requests(fault)

    def _apply_to_requests(self, fault: RequestFault) -> None:
        """Order what is about requests and their answers."""
        requests = self._requests
        match fault:
            case Delay():
                requests.order_delays(fault.ms / 1e3, fault.count)
            case LoseAcks():
                requests.order_losses(fault.count, is_done=True)
            case LoseRequests():
                requests.order_losses(fault.count, is_done=False)
            case Refuse():
                error = ApiError(fault.code, fault.message, fault.status)
                requests.order_refusals(error, fault.count)
            case Fail():
                requests.order_failures(fault.status, fault.count, is_done=fault.is_done)
            case Limit():
                until_ns = self._clock.now_ns() + round(fault.seconds * NANOS_PER_SECOND)
                requests.order_limit(fault.status, until_ns)
            case Handshakes():
                servers = ("streams", "api") if fault.target == "all" else (fault.target,)
                requests.handshakes.order(fault.status, servers, fault.count)
            case StaleSnapshots():
                requests.order_stale_snapshots(fault.count)
            case _ as never:
                assert_never(never)

    def _transfer(self, fault: Transfer) -> None:
        account = self._lookup.exchange.accounts.get(fault.account)
        if account is None or fault.asset not in account.free:
            raise ApiError(-1100, f"no {fault.asset} in an account {fault.account}", 400)
        atoms = atoms_of_text(fault.amount.removeprefix("-"), "amount")
        atoms = -atoms if fault.amount.startswith("-") else atoms
        if account.free[fault.asset] + atoms < 0:
            raise ApiError(-2010, f"fewer than {fault.amount} {fault.asset} are free", 400)
        account.receive(fault.asset, atoms)
        held = fault.asset, account.free[fault.asset], account.locked.get(fault.asset, 0)
        now_ns = self._clock.now_ns()
        self._publish([BalanceChange(account=account.name, balances=(held,), ts_ns=now_ns)])

    @staticmethod
    def _silence(connections: list[Connection], seconds: float) -> None:
        for connection in connections:
            connection.is_silent = True
        asyncio.get_running_loop().call_later(seconds, _speak, connections)


def _speak(connections: list[Connection]) -> None:
    for connection in connections:
        connection.is_silent = False


def describe() -> str:
    """One line for each fault: its JSON with defaults, and what it does."""
    lines = []
    for kind in KINDS:
        fields = msgspec.structs.fields(kind)
        example: dict[str, Any] = {"fault": kind.__struct_config__.tag}
        for field in fields:
            is_required = field.default is msgspec.NODEFAULT
            example[field.name] = _EXAMPLES[field.name] if is_required else field.default
        doc = (kind.__doc__ or "").strip()
        lines.append(f"{msgspec.json.encode(example).decode()}  {doc}")
    return "\n\n".join(lines)


_EXAMPLES = {
    "seconds": 5,
    "kind": "gap",
    "code": -2010,
    "ms": 200,
    "symbol": "MMDUSDT",
    "status": "BREAK",
    "shift_ms": -1500,
    "asset": "USDT",
    "amount": "-250.5",
}
