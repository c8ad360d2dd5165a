"""Why the simulated exchange refuses a request: a closed set, translated by each venue's dialect."""

from enum import Enum, unique


@unique
class Refusal(Enum):
    """Nothing changed; the value says why."""

    UNKNOWN_ACCOUNT = "unknown account"
    UNKNOWN_INSTRUMENT = "unknown instrument"
    NOT_TRADING = "the instrument does not trade"
    PRICE_FILTER = "price outside its limits or off the tick grid"
    PERCENT_PRICE = "price too far from the reference price"
    LOT_SIZE = "quantity outside its limits or off the lot grid"
    MARKET_LOT_SIZE = "quantity outside the limits of market orders"
    MAX_POSITION = "holdings and open bids would exceed the largest position"
    SELF_TRADE_MODE = "the market does not offer this self-trade prevention mode"
    NOTIONAL = "price times quantity outside its limits"
    MAX_NUM_ORDERS = "too many open orders"
    MAX_NUM_ORDER_AMENDS = "the order was amended too often"
    INSUFFICIENT_BALANCE = "not enough free balance"
    WOULD_TAKE = "a post-only order would trade at once"
    DUPLICATE_ORDER = "an open order has this client order id"
    UNKNOWN_ORDER = "no such open order"
    NAME_MISMATCH = "the order id and the client order id are of different orders"
    CANCEL_RESTRICTED = "the order is not in the state that the cancel requires"
    AMEND_INCREASE = "an amend may not grow an order"
    AMEND_NO_CHANGE = "an amend to the present quantity"


class Refused(Exception):  # noqa: N818 - states what happened, like the venue's answer
    """A request was refused before it changed anything; internal to the exchange's callers."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason
