"""Orders in the compiled loop: sent, taken in by the simulated exchange, answered and heard of, where all goes as usual.

The risk check, the exchange's matching and the channels are the kernels that Python calls too. What is unusual (an
order that would take, one whose funds are short, a cancel that comes too late) is left to Python, untouched. All that
happens is written down, in order, in TRIPS.trail, from which `mmd.backtest.order_trail` brings Python up to date.
"""

from typing import Final

from mmd.backtest.feed import NEVER
from mmd.backtest.idle_timer import IDLE
from mmd.backtest.quiet_record import QUIET
from mmd.backtest.timer_grid import new_timer_ns
from mmd.backtest.trips_record import (
    ACCEPTED,
    ENDED,
    IN_FLIGHT_MAX,
    LEFT,
    LOTS,
    NUMBER,
    OTHER,
    PX,
    RESTS,
    SENT_NS,
    SIDE,
    TRAIL_MARGIN,
    TRAIL_MAX,
    TRIPS,
    WHAT,
    WHEN,
)
from mmd.core.events import EndReason
from mmd.core.orders import order_diff
from mmd.core.orders.order_diff import CANCEL, PLACE, REPLACE, WORKING
from mmd.core.orders.working_rows import (
    NO_SLOT,
    acknowledge,
    ask_back,
    has_room,
    seat,
    slot_of,
    vacate,
)
from mmd.core.risk.order_check import OK as ALLOWED
from mmd.core.risk.order_check import judge
from mmd.core.risk.reasons import RiskReason
from mmd.exchange.fills import matching
from mmd.exchange.fills import record as fill_record
from mmd.exchange.fills.displayed import best_available
from mmd.exchange.fills.latency import LATENCY, arrival_ns
from mmd.jit.kernel import Rec, leaf
from mmd.jit.places import record_at

_ORDER_RESERVE: Final = int(RiskReason.ORDER_RESERVE)
_CANCELED, _REPLACED = int(EndReason.CANCELED), int(EndReason.REPLACED)
_TOO_MUCH: Final = -1


@leaf
def is_trail_full(t: Rec) -> bool:
    """Whether what happened must be fetched before more does; t is the row of TRIPS, here and below."""
    return bool(t.n_trail > TRAIL_MAX - TRAIL_MARGIN)


@leaf
def _note(  # noqa: PLR0913, PLR0917 - a row
    t: Rec,
    now_ns: int,
    what: int,
    number: int,
    other: int,
    side: int,
    px: int,
    lots: int,
    level: int,
) -> None:
    """Append to the trail."""
    row = t.trail[t.n_trail]
    row[0], row[1], row[2], row[3] = now_ns, what, number, other
    row[4], row[5], row[6], row[7] = side, px, lots, level
    t.n_trail += 1


@leaf
def can_send(t: Rec, w: Rec, n: int) -> bool:
    """Whether the loop can carry out the first n actions of w, and there is room for all that they make."""
    if t.is_on == 0 or t.n_requests + n > IN_FLIGHT_MAX:
        return False
    more_bids = more_asks = 0
    for at in range(n):
        op, side = w.act[at, order_diff.OP], w.act[at, order_diff.SIDE]
        if op not in (PLACE, REPLACE, CANCEL):
            return False
        if op != CANCEL:
            more_bids += 1 - side
            more_asks += side
    return has_room(w, 0, more_bids) and has_room(w, 1, more_asks)


@leaf
def _request(  # noqa: PLR0913, PLR0917 - a row
    t: Rec, entry: Rec, sent_ns: int, op: int, number: int, old: int, side: int, px: int, lots: int
) -> None:
    """A request leaves the engine."""
    row = t.requests[(t.requests_at + t.n_requests) % IN_FLIGHT_MAX]
    row[WHEN], row[WHAT], row[NUMBER], row[OTHER] = arrival_ns(entry, sent_ns), op, number, old
    row[SIDE], row[PX], row[LOTS] = side, px, lots
    if t.n_requests == 0:
        t.entry_due_ns = row[WHEN]
    t.n_requests += 1
    t.commands += 1


@leaf
def _take_back(
    q: Rec, t: Rec, w: Rec, b: Rec, entry: Rec, now_ns: int, side: int, slot: int
) -> None:
    """Cancel the order in a slot, as `OrderDesk.act`: the gate lets that pass, and it costs nothing."""
    b.verdicts[ALLOWED] += 1
    number, px, lots = w.id[side, slot], w.px[side, slot], w.leaves[side, slot]
    ask_back(w, side, slot)
    _note(t, now_ns, CANCEL, number, 0, side, px, lots, 0)
    _request(t, entry, now_ns + q.decision_cost_ns, CANCEL, number, 0, side, px, lots)


@leaf
def _act(q: Rec, t: Rec, w: Rec, r: Rec, b: Rec, entry: Rec, now_ns: int, at: int) -> None:
    """Carry out one action, as `OrderDesk.act` and `on_acted`."""
    row = w.act[at]
    op, side, level, slot = (
        row[order_diff.OP],
        row[order_diff.SIDE],
        row[order_diff.LEVEL],
        row[order_diff.SLOT],
    )
    px, lots = row[order_diff.PX], row[order_diff.SZ]
    if op == CANCEL:
        _take_back(q, t, w, b, entry, now_ns, side, slot)
        return
    replaces, old, old_px, old_lots = 0, 0, 0, 0
    if op == REPLACE:
        replaces, old = 1, w.id[side, slot]
        old_px, old_lots = w.px[side, slot], w.leaves[side, slot]
    q.last_number += 1
    number = q.last_number
    reason = judge(r, w, b, q.level, number, side, px, lots, replaces, old_px, old_lots)
    b.verdicts[reason] += 1
    if reason == ALLOWED:
        if op == REPLACE:
            ask_back(w, side, slot)
        seat(w, side, number, px, lots, now_ns)
        _note(t, now_ns, op, number, old, side, px, lots, level)
        _request(t, entry, now_ns + q.decision_cost_ns, op, number, old, side, px, lots)
        t.sent += 1
    elif op == REPLACE:
        if reason == _ORDER_RESERVE:
            t.skipped += 1
        else:
            _take_back(q, t, w, b, entry, now_ns, side, slot)


@leaf
def send(q: Rec, t: Rec, w: Rec, r: Rec, b: Rec, places: Rec, now_ns: int, n: int) -> None:
    """Carry out the first n actions of w, as `Engine.decide`; the rows are of QUIET, TRIPS, WORKING, RISK and BUDGETS."""
    entry, idle = record_at(places[0].entry, LATENCY)[0], record_at(places[0].idle, IDLE)[0]
    for at in range(n):
        _act(q, t, w, r, b, entry, now_ns, at)
    idle.orders = w.open_orders[0] + w.open_orders[1]


@leaf
def _locked_atoms(t: Rec, side: int, px: int, lots: int) -> int:
    """What an order sets aside, as `mmd.exchange.accounts.lock_of`; _TOO_MUCH where that is not for integers."""
    if side == 1:
        return int(lots * t.atoms_per_lot)
    if px * lots > t.ticklots_max:
        return _TOO_MUCH
    return int(px * lots * t.quote_num // t.quote_den)


@leaf
def _answer(
    t: Rec, response: Rec, now_ns: int, what: int, number: int, other: int, side: int
) -> None:
    """An answer leaves the exchange."""
    row = t.answers[(t.answers_at + t.n_answers) % IN_FLIGHT_MAX]
    row[WHEN], row[WHAT], row[NUMBER] = arrival_ns(response, now_ns), what, number
    row[OTHER], row[SIDE], row[SENT_NS], row[LOTS] = other, side, now_ns, 0
    if t.n_answers == 0:
        t.response_due_ns = row[WHEN]
    t.n_answers += 1


@leaf
def _take_request(t: Rec, fills: Rec, book: Rec, l3: Rec, response: Rec) -> bool:
    """The first request arrives, as `FillExchange.receive`; False where it is Python's, and then nothing has changed."""
    f, now_ns = fills[0], t.entry_due_ns
    row = t.requests[t.requests_at]
    op, number, side, px, lots = row[WHAT], row[NUMBER], row[SIDE], row[PX], row[LOTS]
    old = number if op == CANCEL else row[OTHER]
    freed = needed = 0
    if op != PLACE:
        at = matching.find(f, side, old)
        if at < 0:
            return False
        freed = _locked_atoms(t, side, f.px[side, at], f.leaves[side, at])
    if op != CANCEL:
        needed = _locked_atoms(t, side, px, lots)
        has_slot = f.n[side] < fill_record.SLOTS or op == REPLACE
        if not has_slot or best_available(f, book[0], 1 - side, px) >= 0:
            return False
    if freed < 0 or needed < 0 or t.free[side] + freed < needed:
        return False
    f.now_ns = now_ns
    t.free[side] += freed - needed
    if op != PLACE:
        reason = _CANCELED if op == CANCEL else _REPLACED
        matching.cancel(fills, side, old)
        _note(t, now_ns, LEFT, old, reason, side, 0, 0, 0)
        _answer(t, response, now_ns, ENDED, old, reason, side)
    if op != CANCEL:
        matching.place(fills, book, l3, number, side, px, lots, matching.POST_ONLY)
        t.last_order_id += 1
        _note(t, now_ns, RESTS, number, t.last_order_id, side, px, lots, 0)
        _answer(t, response, now_ns, ACCEPTED, number, t.last_order_id, side)
    t.requests_at = (t.requests_at + 1) % IN_FLIGHT_MAX
    t.n_requests -= 1
    t.entry_due_ns = t.requests[t.requests_at, WHEN] if t.n_requests > 0 else NEVER
    return True


@leaf
def _hear(q: Rec, t: Rec, w: Rec, idle: Rec) -> None:
    """The first answer arrives, as `BacktestRunner` has the engine apply it."""
    now_ns, row = t.response_due_ns, t.answers[t.answers_at]
    what, number, side = row[WHAT], row[NUMBER], row[SIDE]
    q.now_ns = max(q.now_ns, now_ns)
    _note(t, now_ns, what, number, row[OTHER], side, row[SENT_NS], 0, 0)
    slot = slot_of(w, side, number)
    if slot != NO_SLOT:
        if what == ACCEPTED:
            acknowledge(w, side, slot)
        else:
            vacate(w, side, slot)
    if what == ENDED and q.decide_ns == NEVER:
        q.decide_ns = max(now_ns, q.busy_ns)
    is_quoting = int(min(w.open_orders[0], w.open_orders[1]) > 0)
    if is_quoting != t.quotes_both:
        q.timer_ns = min(q.timer_ns, new_timer_ns(q, now_ns))
    if t.quotes_both == 1:
        t.quoted_ns += now_ns - t.heard_ns
    t.heard_ns, t.quotes_both = now_ns, is_quoting
    idle.orders = w.open_orders[0] + w.open_orders[1]
    t.answers_at = (t.answers_at + 1) % IN_FLIGHT_MAX
    t.n_answers -= 1
    t.response_due_ns = t.answers[t.answers_at, WHEN] if t.n_answers > 0 else NEVER


@leaf
def take_trip(places: Rec, fills: Rec, book: Rec, l3: Rec) -> bool:
    """Take what arrives first, requests before answers; False if it is Python's."""
    p = places[0]
    t = record_at(p.trips, TRIPS)[0]
    if t.entry_due_ns <= t.response_due_ns:
        return _take_request(t, fills, book, l3, record_at(p.response, LATENCY)[0])
    q, w = record_at(p.quiet, QUIET)[0], record_at(p.working, WORKING)[0]
    _hear(q, t, w, record_at(p.idle, IDLE)[0])
    return True
