"""Hands what the exchange reports to those concerned: public streams, and each account's user data stream."""

import msgspec

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import Connection
from adapters.binance_spot.sandbox_feed import MarketFeed
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_reports import Reports, account_position
from mmd.exchange.executions import (
    BalanceChange,
    ExchangeEvent,
    Execution,
    ExecutionKind,
    PublicTrade,
)

_encode = msgspec.json.Encoder().encode


class EventRouter:
    """Publishes events in the order in which they happened."""

    def __init__(
        self,
        reports: list[Reports],
        feeds: list[MarketFeed],
        limits: RateLimits,
        clock: ExchangeClock,
    ) -> None:
        self._reports = reports
        self._feeds = feeds
        self._limits = limits
        self._clock = clock
        self._users: dict[str, dict[tuple[Connection, int], None]] = {}
        self._held: list[tuple[Connection, bytes]] | None = None

    def listen(self, account: str, connection: Connection, subscription_id: int) -> None:
        """Send an account's events to a connection under a subscription id."""
        self._users.setdefault(account, {})[connection, subscription_id] = None

    def forget(self, connection: Connection, subscription_id: int | None = None) -> None:
        """Stop one subscription of a connection, or all."""
        for listeners in self._users.values():
            for key in [k for k in listeners if k[0] is connection]:
                if subscription_id is None or key[1] == subscription_id:
                    del listeners[key]

    def hold(self) -> None:
        """Keep user data back until `release`, so that an answer goes out before what it caused."""
        self._held = []

    def release(self) -> None:
        """Send what was kept back."""
        held, self._held = self._held, None
        for connection, payload in held or ():
            connection.send_text(payload)

    def publish(self, events: list[ExchangeEvent], reject_reason: str = "NONE") -> None:
        """Send events out; trades that happened together stay together."""
        if not events:
            for feed in self._feeds:
                feed.top()
            return
        trades: dict[int, list[PublicTrade]] = {}
        for event in events:
            match event:
                case PublicTrade():
                    trades.setdefault(event.instrument, []).append(event)
                case Execution():
                    if event.kind == ExecutionKind.TRADE:
                        self._limits.forgive_orders(1)
                    self._to_user(event.order.account, event, reject_reason)
                case BalanceChange():
                    self._to_user(event.account, event)
        for instrument, together in trades.items():
            self._feeds[instrument].trades(together)
        for feed in self._feeds:
            feed.top()

    def _to_user(
        self, account: str, event: Execution | BalanceChange, reject_reason: str = "NONE"
    ) -> None:
        listeners = self._users.get(account)
        if not listeners:
            return
        now_ns = self._clock.now_ns()
        if isinstance(event, Execution):
            reports = self._reports[event.order.instrument]
            body = reports.execution(event, now_ns, reject_reason)
        else:
            body = account_position(event, now_ns)
        for connection, subscription_id in listeners:
            payload = _encode({"subscriptionId": subscription_id, "event": body})
            if self._held is None:
                connection.send_text(payload)
            else:
                self._held.append((connection, payload))
