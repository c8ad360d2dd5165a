"""Hands what the exchange reports to those concerned: public streams, and each account's user data stream."""

import msgspec

from adapters.binance_spot.sandbox_clock import ExchangeClock
from adapters.binance_spot.sandbox_connection import Connection
from adapters.binance_spot.sandbox_faults import FrameFault
from adapters.binance_spot.sandbox_feed import MarketFeed
from adapters.binance_spot.sandbox_hub import StreamHub
from adapters.binance_spot.sandbox_limits import RateLimits
from adapters.binance_spot.sandbox_listen_keys import ListenKeys
from adapters.binance_spot.sandbox_reports import Reports
from adapters.binance_spot.sandbox_user_events import account_position, execution_report
from adapters.binance_spot.sandbox_wrong_frames import damaged, unknown_account_event
from mmd.exchange.executions import (
    AggregateTrade,
    BalanceChange,
    ExchangeEvent,
    Execution,
    ExecutionKind,
    PublicTrade,
)

_encode = msgspec.json.Encoder().encode
USER_DATA = "userData"
"""Under which name faults concern accounts' events."""


class EventRouter:
    """Publishes events in the order in which they happened."""

    def __init__(
        self,
        reports: list[Reports],
        feeds: list[MarketFeed],
        limits: RateLimits,
        clock: ExchangeClock,
        hub: StreamHub,
        listen_keys: ListenKeys,
    ) -> None:
        self._hub = hub
        self._listen_keys = listen_keys
        self._reports = reports
        self._feeds = feeds
        self._limits = limits
        self._clock = clock
        self._users: dict[str, dict[tuple[Connection, int], None]] = {}
        self._held: list[tuple[Connection, bytes]] | None = None
        self._overtaken: list[tuple[Connection, bytes]] = []

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
        """Send events out."""
        if not events:
            for feed in self._feeds:
                feed.top()
            return
        for event in events:
            match event:
                case PublicTrade():
                    self._feeds[event.instrument].trade(event)
                case AggregateTrade():
                    self._feeds[event.instrument].aggregate(event)
                case Execution():
                    if event.kind == ExecutionKind.TRADE:
                        self._limits.forgive_orders(1)
                    self._to_user(event.order.account, event, reject_reason)
                case BalanceChange():
                    self._to_user(event.account, event)
        for feed in self._feeds:
            feed.top()

    def _to_user(
        self, account: str, event: Execution | BalanceChange, reject_reason: str = "NONE"
    ) -> None:
        listeners = self._users.get(account, {})
        key = self._listen_keys.key_of(account)
        if not listeners and key is None:
            return
        now_ns = self._clock.now_ns()
        if isinstance(event, Execution):
            reports = self._reports[event.order.instrument]
            body = execution_report(reports, event, now_ns, reject_reason)
        else:
            body = account_position(event, now_ns)
        if key is not None:
            self._hub.publish(key, lambda _: _encode(body))
        fault = self._hub.faults.take(USER_DATA, is_public=False) if listeners else None
        for connection, subscription_id in listeners:
            payload = _encode({"subscriptionId": subscription_id, "event": body})
            if fault is FrameFault.CORRUPT:
                payload = damaged(payload, fault)
            if fault is FrameFault.UNKNOWN_EVENT:
                self._tell(connection, unknown_account_event(subscription_id), None)
            self._tell(connection, payload, fault)

    def _tell(self, connection: Connection, payload: bytes, fault: FrameFault | None) -> None:
        """Send an account's event, or what a fault makes of it."""
        if fault is FrameFault.GAP:
            return
        if fault is FrameFault.REORDER:
            self._overtaken.append((connection, payload))
            return
        late, self._overtaken = self._overtaken, []
        copies = 2 if fault is FrameFault.DUPLICATE else 1
        for to, text in [(connection, payload)] * copies + late:
            if self._held is None:
                to.send_text(text)
            else:
                self._held.append((to, text))
