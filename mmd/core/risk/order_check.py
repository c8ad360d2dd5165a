"""The checks of a new order, compiled: one implementation for every order, whoever makes it.

`settle` works out what holds for all orders of a decision, `judge` compares one order with it, in the order of
cost of the mistake, and takes its price from the rate budgets if nothing speaks against it. All is integers, of
which none exceeds UNLIMITED, so that no sum and no compared product wraps round; a product is looked at in
floating point first.
"""

from typing import Final

from mmd.core.instrument import TradingStatus
from mmd.core.risk import reasons
from mmd.core.risk.budgets import TAKEN, take
from mmd.jit.kernel import Rec, kernel, layout, leaf

UNLIMITED: Final = 2**62
_BPS: Final = 10_000
_TRADING: Final = int(TradingStatus.TRADING)
_CAUTIOUS, _CANCEL_ALL, _HALTED = 1, 3, 5
"""Of mmd.core.risk.levels.RiskLevel; a test compares them."""
_R = {reason.name: int(reason) for reason in reasons.RiskReason}
OK: Final = _R["OK"]
_LEVEL, _NOT_TRADING, _PRIVATE_DOWN = _R["LEVEL"], _R["NOT_TRADING"], _R["PRIVATE_DOWN"]
_UNKNOWN_ORDERS, _NOT_SYNCED = _R["UNKNOWN_ORDERS"], _R["NOT_SYNCED"]
_CROSSED_BOOK, _STALE_BOOK, _DUPLICATE_ID = _R["CROSSED_BOOK"], _R["STALE_BOOK"], _R["DUPLICATE_ID"]
_PRICE_FILTER, _COLLAR, _OWN_CROSS = _R["PRICE_FILTER"], _R["COLLAR"], _R["OWN_CROSS"]
_QTY_MIN, _QTY_MAX = _R["QTY_MIN"], _R["QTY_MAX"]
_NOTIONAL_MIN, _NOTIONAL_MAX = _R["NOTIONAL_MIN"], _R["NOTIONAL_MAX"]
_OPEN_ORDERS, _WORST_CASE_POSITION = _R["OPEN_ORDERS"], _R["WORST_CASE_POSITION"]
_BALANCE, _EXPOSURE, _ORDER_TO_TRADE = _R["BALANCE"], _R["EXPOSURE"], _R["ORDER_TO_TRADE"]
_ORDER_RATE, _MESSAGE_BUDGET = _R["ORDER_RATE"], _R["MESSAGE_BUDGET"]
_ORDER_RESERVE = _R["ORDER_RESERVE"]

RISK = layout(
    # The market and the links, as at the decision
    ("now_ns", "i8"),
    ("bid_ticks", "i8"),  # 0 = none yet, as the next two
    ("ask_ticks", "i8"),
    ("last_ticks", "i8"),
    ("book_ts_ns", "i8"),
    ("is_synced", "i8"),
    ("is_private_up", "i8"),
    ("status", "i8"),
    ("venue", "i8"),  # whose budgets its commands are charged to, by number
    ("hindrance", "i8"),  # why nothing may be added to the position, or OK
    # Filters and limits
    ("price_ticks_min", "i8"),
    ("price_ticks_max", "i8"),
    ("price_ratio_down", "f8"),
    ("price_ratio_up", "f8"),
    ("collar_bps", "f8"),
    ("qty_lots_min", "i8"),
    ("qty_lots_max", "i8"),
    ("notional_min", "i8"),  # ticks * lots, as the next
    ("notional_max", "i8"),
    ("open_orders_max", "i8"),
    ("stale_book_ns", "i8"),
    ("frees_leaves", "i8"),  # 1 = what an order replaces counts as gone
    # What is held, in lots
    ("base_lots", "i8"),
    ("quote_ticklots", "i8"),
    ("room_lots", "i8", (2,)),
    ("exposure_lots", "i8", (2,)),
    ("reducible_lots", "i8", (2,)),
    # Out, of settle
    ("refusal", "i8"),
    ("price_low", "i8"),
    ("price_high", "i8"),
    # Out, of mmd.core.order_plan: the verdict on an action, the action, and the order that it is about
    ("verdict", "i8"),
    ("rung", "i8"),
    ("slot", "i8"),
    ("op", "i8"),
    ("old_id", "i8"),
    ("order_id", "i8"),
    ("side", "i8"),
    ("px", "i8"),
    ("sz", "i8"),
)
"""All that the checks read of one instrument besides its orders (WORKING); see mmd.core.risk.view."""


@leaf
def _refusal(v: Rec, w: Rec) -> int:
    """Why nothing may be sent now, or OK."""
    if v.status != _TRADING:
        return _NOT_TRADING
    if v.is_private_up == 0:
        return _PRIVATE_DOWN
    if w.unknown_count > 0:
        return _UNKNOWN_ORDERS
    if v.is_synced == 0 or v.bid_ticks <= 0 or v.ask_ticks <= 0:
        return _NOT_SYNCED
    if v.bid_ticks >= v.ask_ticks:
        return _CROSSED_BOOK
    return _STALE_BOOK if v.now_ns - v.book_ts_ns > v.stale_book_ns else OK


@leaf
def settle_row(v: Rec, w: Rec) -> None:
    """Find v.refusal, and the prices that surely pass `price_reason`: a tick inside, where floats might round."""
    v.refusal = _refusal(v, w)
    mid_ticks = 0.5 * (v.bid_ticks + v.ask_ticks)
    down, up = 1.0 - v.collar_bps / _BPS, 1.0 + v.collar_bps / _BPS
    low = max(v.price_ratio_down, down) * mid_ticks
    high = min(v.price_ratio_up, up) * mid_ticks
    if v.last_ticks > 0:
        low, high = max(low, down * v.last_ticks), min(high, up * v.last_ticks)
    v.price_low = max(int(low) + 2, v.price_ticks_min)
    v.price_high = min(int(high) - 1, v.price_ticks_max)


@leaf
def price_reason(v: Rec, price_ticks: int) -> int:
    """Filters and collar; twice the mid is a whole number, so both sides are doubled."""
    mid_twice, last = v.bid_ticks + v.ask_ticks, v.last_ticks
    if not v.price_ticks_min <= price_ticks <= v.price_ticks_max:
        return _PRICE_FILTER
    if not v.price_ratio_down * mid_twice <= 2 * price_ticks <= v.price_ratio_up * mid_twice:
        return _PRICE_FILTER
    if float(abs(2 * price_ticks - mid_twice)) * _BPS > v.collar_bps * mid_twice:
        return _COLLAR
    if last > 0 and float(abs(price_ticks - last)) * _BPS > v.collar_bps * last:
        return _COLLAR
    return OK


@leaf
def _size_reason(v: Rec, price_ticks: int, qty_lots: int) -> int:
    """Bounds of quantity and notional."""
    if qty_lots < v.qty_lots_min:
        return _QTY_MIN
    if qty_lots > v.qty_lots_max:
        return _QTY_MAX
    is_immense = float(price_ticks) * float(qty_lots) >= UNLIMITED
    if not is_immense and price_ticks * qty_lots < v.notional_min:
        return _NOTIONAL_MIN
    return _NOTIONAL_MAX if is_immense or price_ticks * qty_lots > v.notional_max else OK


@leaf
def _standing(
    v: Rec,
    b: Rec,
    level: int,
    order_id: int,
    reduces: bool,  # noqa: FBT001 - a kernel
) -> int:
    """What speaks against any order now, or against any that adds to the position."""
    if level > _CAUTIOUS and (level in (_CANCEL_ALL, _HALTED) or not reduces):
        return _LEVEL
    if v.refusal != OK:
        refusal: int = v.refusal
        return refusal
    if not reduces:
        if v.hindrance != OK:
            hindrance: int = v.hindrance
            return hindrance
        if b.orders_left <= 0:
            return _ORDER_TO_TRADE
    return OK if order_id > b.last_id else _DUPLICATE_ID


@leaf
def _price_and_size(v: Rec, w: Rec, side: int, price_ticks: int, qty_lots: int) -> int:
    """Filters, collar, our own orders on the other side, and the limits of one order."""
    if not v.price_low <= price_ticks <= v.price_high:
        reason = price_reason(v, price_ticks)
        if reason != OK:
            return reason
    own = w.best[1 - side]
    if own != 0 and ((side == 0 and own <= price_ticks) or (side == 1 and own >= price_ticks)):
        return _OWN_CROSS
    return _size_reason(v, price_ticks, qty_lots)


@leaf
def _retreats(side: int, price_ticks: int, qty_lots: int, old_ticks: int, old_lots: int) -> bool:
    """Whether a replacement goes away from the touch, or is smaller at the same price; as the order diff has it."""
    step = (1 - 2 * side) * (price_ticks - old_ticks)
    return step < 0 or (step == 0 and qty_lots < old_lots)


@leaf
def judge(  # noqa: PLR0913, PLR0917 - a table
    v: Rec,
    w: Rec,
    b: Rec,
    level: int,
    order_id: int,
    side: int,
    price_ticks: int,
    qty_lots: int,
    replaces: int,
    old_ticks: int,
    old_lots: int,
) -> int:
    """The RiskReason of a new order; one that passes has been charged to the budgets, its id used up.

    v, w and b are rows of RISK (settled), WORKING and BUDGETS. replaces is 1 where it takes the place of an order of this
    side, at old_ticks with old_lots left.
    """
    side_lots = w.open_lots[side] + qty_lots
    if v.frees_leaves == 1:
        side_lots -= old_lots
    reduces = 0 < side_lots <= v.reducible_lots[side]
    reason = _standing(v, b, level, order_id, reduces)
    if reason == OK:
        reason = _price_and_size(v, w, side, price_ticks, qty_lots)
    if reason != OK:
        return reason
    if w.open_orders[side] >= v.open_orders_max * (1 + replaces):
        return _OPEN_ORDERS
    if side_lots > v.room_lots[side]:
        return _WORST_CASE_POSITION
    if side == 0:
        locked = w.open_ticklots[0] + price_ticks * qty_lots - old_ticks * old_lots
        if locked > v.quote_ticklots:
            return _BALANCE
    elif w.open_lots[1] - old_lots + qty_lots > v.base_lots:
        return _BALANCE
    if side_lots > v.exposure_lots[side] and not reduces:
        return _EXPOSURE
    orders, weight = b.price[replaces, 0], b.price[replaces, 1]
    after_lots = w.open_lots[side] + qty_lots - old_lots
    is_urgent = (
        reduces
        or (replaces == 1 and _retreats(side, price_ticks, qty_lots, old_ticks, old_lots))
        or 0 < after_lots <= 2 * v.reducible_lots[side]  # filled, it leaves no larger position
    )
    short = take(b, v.venue, orders, weight, v.now_ns, is_urgent)
    if short == TAKEN:
        b.last_id = order_id
        b.orders_left -= 1
        return OK
    if short != 0:
        return _MESSAGE_BUDGET
    return _ORDER_RATE if is_urgent or b.has_reserve == 0 else _ORDER_RESERVE


@kernel
def settle(risk: Rec, working: Rec) -> None:
    """Work out what holds for every order of this decision."""
    settle_row(risk[0], working[0])


@kernel
def judge_price(risk: Rec, price_ticks: int) -> int:
    """The RiskReason of a price alone, by filters and collar."""
    return price_reason(risk[0], price_ticks)


@kernel
def judge_order(  # noqa: PLR0913, PLR0917 - a kernel
    risk: Rec,
    working: Rec,
    budgets: Rec,
    level: int,
    order_id: int,
    side: int,
    price_ticks: int,
    qty_lots: int,
    replaces: int,
    old_ticks: int,
    old_lots: int,
) -> int:
    """As `judge`, of records."""
    return judge(
        risk[0],
        working[0],
        budgets[0],
        level,
        order_id,
        side,
        price_ticks,
        qty_lots,
        replaces,
        old_ticks,
        old_lots,
    )
