"""An ApiSession with its wire and its events as lists."""

import msgspec

from adapters.binance_spot.account_state import AccountState
from adapters.binance_spot.api_session import ApiSession, PrivateCodec
from adapters.binance_spot.auth import HmacSigner
from adapters.binance_spot.order_codec import OrderEncoder
from adapters.binance_spot.order_replies import ReplyDecoder
from adapters.binance_spot.rate_usage import RateUsageReports
from adapters.binance_spot.unknown_events import UnknownEvents
from adapters.binance_spot.user_data import UserDataDecoder

TIMEOUT = 2_000
A, B = 5 << 32 | 1, 5 << 32 | 2


class Line:
    """A session with its wire as a list."""

    def __init__(self, mmd, signer=None) -> None:
        self.sent: list[dict] = []
        self.events: list = []
        self.account = AccountState([mmd.id])
        self.told: list[tuple[str, str]] = []
        self.unknown = UnknownEvents(lambda name, link: self.told.append((name, link)))
        codec = PrivateCodec(
            encoder=OrderEncoder([mmd], "key", signer or HmacSigner("secret"), 2_000),
            replies=ReplyDecoder([mmd]),
            user_data=UserDataDecoder("test", [mmd], self.account),
            account=self.account,
            usage=RateUsageReports("test"),
            unknown=self.unknown,
        )
        self.session = ApiSession(codec, self._write, self.events.append, lambda: 1_000, TIMEOUT)

    def _write(self, frame: bytes) -> None:
        self.sent.append(msgspec.json.decode(frame))

    def receive(self, now_ns: int = 0, **body: object) -> None:
        self.session.on_frame(msgspec.json.encode(body), now_ns)

    def answer(self, request: int, result: object, now_ns: int = 0) -> None:
        self.receive(now_ns, id=self.sent[request]["id"], status=200, result=result)

    def fail(self, request: int, code: int, msg: str, status: int = 400) -> None:
        error = {"code": code, "msg": msg}
        self.receive(id=self.sent[request]["id"], status=status, error=error)

    @property
    def methods(self) -> list[str]:
        return [request["method"] for request in self.sent]
