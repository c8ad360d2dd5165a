"""What must hold at every moment of a simulation, whatever the market and the network do.

Some things can be judged at any time, some only when nothing is on its way: then engine and exchange must agree on
every order and on every atom.
"""

from mmd.core.maker import Maker
from mmd.core.units import Side
from mmd.errors import MmdError
from mmd.simulation.agenda import NEVER
from mmd.simulation.order_gateway import order_number
from mmd.simulation.trader import Trader

INVENTORY_RATIO_MAX = 1.1
"""Of the position limit: lots are bounded by it when they are ordered, and prices move afterwards."""


_BUY = Side.BUY  # a look-up through the metaclass of an Enum takes 0.1 us


class InvariantError(MmdError):
    """Something that must never be, with the moment at which it came about; `rule` names what it breaks."""

    def __init__(self, message: str, rule: str = "") -> None:
        super().__init__(message)
        self.rule = rule


class Invariants:
    """Checks a trader after each of its steps; pass `check` as a trader's on_settled.

    Attributes:
        checks: how often all was looked at.
        checks_at_rest: how often books were compared with the exchange's.
        inventory_ratio_max: the largest share of a position limit that was held.
    """

    def __init__(self) -> None:
        self.checks = self.checks_at_rest = 0
        self.inventory_ratio_max = 0.0

    def check(self, trader: Trader) -> None:
        """Look at everything. Raises: InvariantError."""
        self.checks += 1
        for maker in trader.engine.makers:
            self._check_inventory(trader, maker)
            check_money(trader, maker)
        if trader.is_at_rest:
            self.checks_at_rest += 1
            for maker in trader.engine.makers:
                check_orders(trader, maker)
                check_account(trader, maker)

    def _check_inventory(self, trader: Trader, maker: Maker) -> None:
        scale, held = maker.scale, maker.ledger.position_lots
        if scale is None or scale.position_lots_max == 0:
            return
        ratio = abs(held) / scale.position_lots_max
        self.inventory_ratio_max = max(self.inventory_ratio_max, ratio)
        if ratio > INVENTORY_RATIO_MAX:
            raise broken(
                trader, f"inventory: expected at most {scale.position_lots_max} lots, found {held}"
            )


def check_money(trader: Trader, maker: Maker) -> None:
    """PnL by causes is PnL by balances. Raises: InvariantError."""
    pnl = maker.ledger.pnl
    if pnl is not None and pnl.identity_error != 0:
        raise broken(
            trader,
            f"PnL identity: expected balances and causes to agree, found {pnl.identity_error} units apart",
        )


def check_orders(trader: Trader, maker: Maker) -> None:
    """The engine's open orders are the exchange's, and our own sides do not meet. Raises: InvariantError."""
    link = trader.links[maker.instrument.venue]
    market = link.gateway.markets[maker.instrument.id]
    resting = link.venue.exchange.history.open_orders(link.gateway.account, market)
    at_venue = {order_number(o.client_order_id): o.open_lots for o in resting}
    known = {o.client_order_id: o.leaves_lots for o in maker.orders}
    if at_venue != known:
        differing = sorted(set(at_venue.items()) ^ set(known.items()))
        raise broken(trader, f"orders: engine and exchange differ in {differing}")
    bid = max([o.price_ticks for o in resting if o.side is _BUY], default=-NEVER)
    ask = min([o.price_ticks for o in resting if o.side is not _BUY], default=NEVER)
    if bid >= ask:
        raise broken(trader, f"own orders cross: bid {bid}, ask {ask}")


def check_account(trader: Trader, maker: Maker) -> None:
    """Every atom of base is explained by our fills; cash is what the exchange says it is. Raises: InvariantError."""
    at, ledger = maker.instrument, maker.ledger
    link = trader.links[at.venue]
    if ledger.pnl is None:
        return
    account = link.venue.exchange.accounts[link.gateway.account]
    held_atoms, cash_atoms = account.total(at.base), account.total(at.quote)
    if held_atoms != ledger.base_atoms or ledger.drift_atoms != 0:
        raise broken(
            trader,
            f"position: expected {held_atoms} atoms of {at.base}, found {ledger.base_atoms} "
            f"and a drift of {ledger.drift_atoms}",
        )
    if cash_atoms != ledger.quote_atoms:
        raise broken(
            trader,
            f"cash: expected {cash_atoms} atoms of {at.quote}, found {ledger.quote_atoms}",
        )


def broken(trader: Trader, what: str) -> InvariantError:
    """What must never be, of a trader at this moment."""
    at_ns = trader.engine.now_ns - trader.engine.spec.started_monotonic_ns
    return InvariantError(
        f"{trader.name} at {at_ns / 1e9:.6f} s, decision {trader.decisions}: {what}",
        rule=what.partition(":")[0],
    )
