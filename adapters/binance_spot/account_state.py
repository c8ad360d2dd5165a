"""What one account's private messages have taught us, kept across reconnects: ids, trades, strangers."""

from collections import deque
from collections.abc import Iterable

from mmd.core.trades_told import TradesTold
from mmd.core.units import ClientOrderId, InstrumentId

_ORDERS_REMEMBERED = 4_096
"""A trade of an older order costs one question."""
NO_TRADE = -1


class AccountState:
    """Needed to put a name on trades (which carry only venue order ids) and to find missed ones."""

    def __init__(self, instruments: Iterable[InstrumentId]) -> None:
        """Know nothing yet."""
        self._client_ids: dict[int, ClientOrderId] = {}
        self._oldest_first: deque[int] = deque()
        self.last_trade_id = dict.fromkeys(instruments, NO_TRADE)
        """Up to here every trade of ours has been reported."""
        self._on_record: dict[InstrumentId, frozenset[int]] = {}
        self.in_sync = False
        """The user-data stream has been unbroken since the account was last reconciled."""
        self.foreign_open: dict[InstrumentId, set[int]] = {i: set() for i in self.last_trade_id}
        """Venue ids of working orders that are not ours."""
        self.updated_ms = 0
        """Venue time of the newest balances seen."""

    def remember(self, venue_order_id: int, client_order_id: ClientOrderId) -> None:
        """Link the two ids of an order of ours; the oldest of 4,096 is forgotten."""
        if venue_order_id in self._client_ids:
            return
        if len(self._oldest_first) == _ORDERS_REMEMBERED:
            del self._client_ids[self._oldest_first.popleft()]
        self._client_ids[venue_order_id] = client_order_id
        self._oldest_first.append(venue_order_id)

    def client_id(self, venue_order_id: int) -> ClientOrderId | None:
        """Our id of an order, if we remember it."""
        return self._client_ids.get(venue_order_id)

    def resume_trades(self, instrument: InstrumentId, told: TradesTold) -> None:
        """Go on with the trades after those that an earlier session has on record."""
        self.last_trade_id[instrument] = told.to_id
        self._on_record[instrument] = told.later

    def is_resumed(self, instrument: InstrumentId) -> bool:
        """Whether an earlier session's record is gone on from."""
        return instrument in self._on_record

    def is_on_record(self, instrument: InstrumentId, trade_id: int) -> bool:
        """Whether an earlier session has a trade that comes after those which are gone on from."""
        return trade_id in self._on_record.get(instrument, ())

    def saw_live_trade(self, instrument: InstrumentId, trade_id: int) -> None:
        """Note a trade from the stream. Until reconciled it proves nothing about the ones before it."""
        if self.in_sync:
            self.read_trades_to(instrument, trade_id)

    def read_trades_to(self, instrument: InstrumentId, trade_id: int) -> None:
        """Note that all trades up to this one have been reported."""
        self.last_trade_id[instrument] = max(self.last_trade_id[instrument], trade_id)

    def saw_foreign(self, instrument: InstrumentId, venue_order_id: int, *, is_open: bool) -> None:
        """Keep the set of working orders that are not ours."""
        if is_open:
            self.foreign_open[instrument].add(venue_order_id)
        else:
            self.foreign_open[instrument].discard(venue_order_id)
