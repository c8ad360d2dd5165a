"""What orders lock and fills move: the account's side of a simulated exchange."""

from collections.abc import Iterator

from mmd.core.events import Balance
from mmd.core.instrument import Instrument
from mmd.core.units import Side
from mmd.exchange.accounts import Account, TradeValue, lock_of
from mmd.exchange.fees import Commission, FeeSchedule


class RestingOrder:
    """An order that the exchange has, or had; locked_atoms is what is set aside for what it can still cost."""

    __slots__ = ("filled_lots", "locked_atoms", "order_id", "price_ticks", "qty_lots", "side")

    def __init__(self, side: Side, price_ticks: int, qty_lots: int, order_id: int) -> None:
        self.side = side
        self.price_ticks = price_ticks
        self.qty_lots = qty_lots
        self.filled_lots = 0
        self.order_id = order_id
        self.locked_atoms = 0


class Funds:
    """One account in one market; `account` holds its atoms."""

    def __init__(self, instrument: Instrument, balances: dict[str, int]) -> None:
        self.account = Account("mmd", balances)
        self._instrument = instrument
        self._value = TradeValue(instrument)
        self._fees = FeeSchedule(instrument, None)

    def lock(self, order: RestingOrder) -> None:
        """Set aside what the order can still cost. Raises: Refused if that is not there."""
        self.unlock(order)
        left = order.qty_lots - order.filled_lots
        atoms = lock_of(self._value, order.side, order.price_ticks * left, left)
        self.account.lock(self._paid_in(order.side), atoms)
        order.locked_atoms = atoms

    def unlock(self, order: RestingOrder) -> None:
        """Give back what was set aside for the order."""
        self.account.unlock(self._paid_in(order.side), order.locked_atoms)
        order.locked_atoms = 0

    def trade(
        self, order: RestingOrder, price_ticks: int, lots: int, *, is_maker: bool
    ) -> Commission:
        """Move the money of a fill and keep the rest of the order locked; returns the fee, already taken."""
        at, account = self._instrument, self.account
        quote = Commission(at.quote, self._value.quote_atoms(price_ticks * lots))
        base = Commission(at.base, self._value.base_atoms(lots))
        paid, received = (quote, base) if order.side == Side.BUY else (base, quote)
        fee = self._fees.charge(account, received, quote.atoms, is_maker=is_maker)
        self.unlock(order)
        account.receive(paid.asset, -paid.atoms)
        account.receive(received.asset, received.atoms)
        account.receive(fee.asset, -fee.atoms)
        order.filled_lots += lots
        if order.filled_lots < order.qty_lots:
            self.lock(order)
        return fee

    def balances(self, now_ns: int) -> Iterator[Balance]:
        """Base and quote as the exchange states them."""
        at, account = self._instrument, self.account
        for asset in (at.base, at.quote):
            free, locked = account.free.get(asset, 0), account.locked.get(asset, 0)
            yield Balance(now_ns, at.venue, asset, free, locked)

    def _paid_in(self, side: Side) -> str:
        return self._instrument.quote if side == Side.BUY else self._instrument.base
