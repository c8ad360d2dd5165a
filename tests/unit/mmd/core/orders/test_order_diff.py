"""The order diff: economy, safety first, and that its actions lead to the targets."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd.core.orders.order_diff import (
    AMEND,
    BUSY,
    CANCEL,
    EMPTY,
    LEVEL,
    LIVE,
    OP,
    PENDING,
    PLACE,
    PX,
    REPLACE,
    SIDE,
    SLOT,
    SLOTS,
    SZ,
    diff,
    hold,
    new_working,
)
from mmd.core.quoting.record import LEVELS_MAX, QUOTE
from mmd.core.units import Side
from mmd.errors import ConfigError
from mmd.jit.kernel import bind, interpreted, new

BUY, SELL = int(Side.BUY), int(Side.SELL)
BOUND = bind(diff, new_working(), new(QUOTE))
HOLD = bind(hold, new_working(), new(QUOTE), 0, 0, 0, 0)


def quote(bids=(), asks=()):
    """QUOTE with targets as (ticks, lots), best first."""
    made = new(QUOTE)
    for side, targets in enumerate((bids, asks)):
        made["n"][0, side] = len(targets)
        for level, (px, sz) in enumerate(targets):
            made["px"][0, side, level], made["sz"][0, side, level] = px, sz
    return made


def working(bids=(), asks=(), **settings):
    """WORKING with orders as (ticks, leaves, state) in slots from 0."""
    made = new_working(**settings)
    for side, orders in enumerate((bids, asks)):
        made["n"][0, side] = len(orders)
        for slot, (px, leaves, state) in enumerate(orders):
            made["px"][0, side, slot] = px
            made["leaves"][0, side, slot] = leaves
            made["state"][0, side, slot] = state
    return made


def actions(made, wanted, call=BOUND):
    n = call(made, wanted)
    return [tuple(row) for row in made["act"][0, :n].tolist()]


def test_an_empty_book_of_ours_is_filled():
    """Every target is placed."""
    assert actions(working(), quote([(99, 10)], [(101, 10), (102, 7)])) == [
        (PLACE, BUY, 0, -1, 99, 10),
        (PLACE, SELL, 0, -1, 101, 10),
        (PLACE, SELL, 1, -1, 102, 7),
    ]


def test_after_a_one_tick_move_one_order_a_side_moves():
    """Orders at wanted prices keep their place in the queue whatever their level was."""
    made = working(
        [(99, 10, LIVE), (98, 10, LIVE), (97, 10, LIVE)],
        [(101, 10, LIVE), (102, 10, LIVE), (103, 10, LIVE)],
    )
    up = quote([(100, 10), (99, 10), (98, 10)], [(102, 10), (103, 10), (104, 10)])
    assert actions(made, up) == [
        (REPLACE, SELL, 2, 0, 104, 10),
        (REPLACE, BUY, 0, 2, 100, 10),
    ]


def test_a_withdrawn_side_is_cancelled_first():
    """Taking risk off comes before everything else."""
    made = working([(99, 10, LIVE)], [(101, 10, LIVE)])
    assert actions(made, quote([(98, 10), (97, 10)])) == [
        (CANCEL, SELL, -1, 0, 101, 10),
        (REPLACE, BUY, 0, 0, 98, 10),
        (PLACE, BUY, 1, -1, 97, 10),
    ]


def test_a_partly_filled_order_keeps_its_place_until_too_little_is_left():
    """size_keep_ratio_min of the target's size is enough."""
    assert actions(working([(99, 5, LIVE)]), quote([(99, 10)])) == []
    assert actions(working([(99, 4, LIVE)]), quote([(99, 10)])) == [(REPLACE, BUY, 0, 0, 99, 10)]


def test_a_larger_order_is_amended_down_where_the_venue_can():
    """Else it is kept up to size_keep_ratio_max, and replaced beyond."""
    target = quote([(99, 10)])
    assert actions(working([(99, 12, LIVE)], amends_max=10), target) == [(AMEND, BUY, 0, 0, 99, 10)]
    assert actions(working([(99, 15, LIVE)]), target) == []
    assert actions(working([(99, 16, LIVE)]), target) == [(REPLACE, BUY, 0, 0, 99, 10)]


def test_amends_end_where_the_venue_counts_them():
    """After amends_max the order is treated as on a venue without amends."""
    made = working([(99, 12, LIVE)], amends_max=2)
    made["amends"][0, BUY, 0] = 2
    assert actions(made, quote([(99, 10)])) == []


def test_tolerance_keeps_orders_near_their_target():
    """One tick off is kept with a tolerance of one, and replaced without."""
    assert actions(working([(98, 10, LIVE)], tolerance_ticks=1), quote([(99, 10)])) == []
    assert actions(working([(98, 10, LIVE)]), quote([(99, 10)])) == [(REPLACE, BUY, 0, 0, 99, 10)]


def test_an_unacknowledged_order_counts_but_is_not_touched():
    """Neither placed beside nor replaced until the venue has it."""
    assert actions(working([(99, 10, PENDING)]), quote([(99, 10)])) == []
    assert actions(working([(99, 10, PENDING)]), quote([(100, 10)])) == []
    assert actions(working([(99, 10, PENDING)]), quote()) == []


def test_a_leaving_order_takes_no_part():
    """What is being cancelled, or unknown, neither serves a target nor is acted upon."""
    assert actions(working([(99, 10, BUSY)]), quote([(99, 10)])) == [(PLACE, BUY, 0, -1, 99, 10)]
    assert actions(working([(99, 10, BUSY)]), quote()) == []


def test_the_requote_interval_delays_advances_only():
    """An order that shall retreat, shrink or go is never held back."""
    young = {"requote_ns": 100}
    for px, wanted, held in ((99, 100, True), (99, 98, False)):
        made = working([(px, 10, LIVE)], **young)
        made["since_ns"][0, BUY, 0], made["now_ns"] = 1000, 1099
        assert (actions(made, quote([(wanted, 10)])) == []) is held
        made["now_ns"] = 1100
        assert len(actions(made, quote([(wanted, 10)]))) == 1
    made = working([(99, 10, LIVE)], **young)
    assert actions(made, quote())[0][OP] == CANCEL


LADDER = quote([(99, 10), (98, 7), (97, 5)], [(101, 10), (102, 7), (103, 5)])


def test_a_fill_takes_back_its_level_and_those_before_it():
    """Those behind keep their place in the queue; the other side is not concerned; then all is quoted again."""
    made = working(
        [(99, 10, LIVE), (98, 3, LIVE), (97, 5, LIVE)], [(101, 10, LIVE)], holds_levels=True
    )
    HOLD(made, LADDER, BUY, 98, 1_000, 1_100)
    made["now_ns"] = 1_000
    assert actions(made, LADDER) == [
        (CANCEL, BUY, -1, 0, 99, 10),
        (CANCEL, BUY, -1, 1, 98, 3),
        (PLACE, SELL, 1, -1, 102, 7),
        (PLACE, SELL, 2, -1, 103, 5),
    ]
    made = working(
        [(97, 5, LIVE)], [(101, 10, LIVE), (102, 7, LIVE), (103, 5, LIVE)], holds_levels=True
    )
    HOLD(made, LADDER, BUY, 98, 1_000, 1_100)
    made["now_ns"] = 1_099
    assert actions(made, LADDER) == []
    made["now_ns"] = 1_100
    assert actions(made, LADDER) == [(PLACE, BUY, 0, -1, 99, 10), (PLACE, BUY, 1, -1, 98, 7)]


def test_an_order_behind_the_fill_may_serve_a_better_level():
    """The skew after a bought lot moves the ladder down: what stands there already stays."""
    made = working([(98, 10, LIVE), (97, 7, LIVE)], holds_levels=True)
    HOLD(made, LADDER, BUY, 99, 0, 100)
    lower = quote([(98, 10), (97, 7), (96, 5)])
    assert actions(made, lower) == [(PLACE, BUY, 2, -1, 96, 5)]


def test_two_fills_of_a_side_both_count():
    """The farther one, and the later end."""
    made = working([(97, 5, LIVE)], holds_levels=True)
    HOLD(made, LADDER, BUY, 98, 0, 100)
    HOLD(made, LADDER, BUY, 99, 50, 150)
    assert (made["held_px"][0, BUY], made["held_level"][0, BUY]) == (98, 1)
    assert made["held_until_ns"][0, BUY] == 150
    HOLD(made, LADDER, BUY, 99, 150, 250)
    assert (made["held_px"][0, BUY], made["held_level"][0, BUY]) == (99, 0), (
        "the first two are over"
    )


def test_without_levels_a_hold_only_keeps_new_orders_back():
    """Replacements go on, and nothing is cancelled for it."""
    made = working([(98, 7, LIVE)])
    HOLD(made, LADDER, BUY, 99, 0, 100)
    assert actions(made, quote([(99, 7), (97, 5)])) == [(REPLACE, BUY, 0, 0, 99, 7)]


def test_the_side_that_reduces_comes_first_when_orders_are_added():
    """And last when they are taken back: what adds to the inventory leaves first."""
    for ratio, reducing in ((0.5, SELL), (-0.5, BUY)):
        wanted = quote([(99, 10)], [(101, 10)])
        wanted["inventory_ratio"] = ratio
        assert [row[SIDE] for row in actions(working(), wanted)] == [reducing, 1 - reducing]
        nothing = quote()
        nothing["inventory_ratio"] = ratio
        made = working([(99, 10, LIVE)], [(101, 10, LIVE)])
        assert [row[SIDE] for row in actions(made, nothing)] == [1 - reducing, reducing]


def test_the_requote_interval_never_holds_back_a_side_that_only_reduces():
    """Economy is for quotes, not for getting rid of a position."""
    for ratio, held in ((-0.95, False), (0.95, True)):
        made = working([(99, 10, LIVE)], requote_ns=100)
        made["since_ns"][0, BUY, 0], made["now_ns"] = 1000, 1050
        wanted = quote([(100, 10)])
        wanted["inventory_ratio"] = ratio
        assert (actions(made, wanted) == []) is held


@pytest.mark.parametrize(
    "settings",
    [
        {"tolerance_ticks": -1},
        {"requote_ns": -1},
        {"amends_max": -1},
        {"size_keep_ratio_min": 1.1},
        {"size_keep_ratio_max": 0.9},
        {"size_keep_ratio_min": float("nan")},
    ],
)
def test_impossible_settings_are_refused(settings):
    """With the name of the setting."""
    with pytest.raises(ConfigError, match=next(iter(settings))):
        new_working(**settings)


SIZES = st.integers(1, 20)
STATES = st.sampled_from([LIVE, LIVE, LIVE, PENDING, BUSY, EMPTY])


@st.composite
def targets(draw):
    sides = []
    for towards in (-1, 1):
        start = draw(st.integers(100, 110))
        steps = draw(st.lists(st.integers(1, 3), max_size=LEVELS_MAX))
        at, side = start, []
        for step in steps:
            side.append((at, draw(SIZES)))
            at += towards * step
        sides.append(side)
    return sides


@st.composite
def situations(draw, states=STATES):
    """Any working set against any ladder under any settings."""
    orders = st.lists(st.tuples(st.integers(92, 118), SIZES, states), max_size=SLOTS)
    made = working(
        draw(orders),
        draw(orders),
        tolerance_ticks=draw(st.integers(0, 2)),
        amends_max=draw(st.sampled_from([0, 10])),
        size_keep_ratio_min=draw(st.sampled_from([0.0, 0.5, 1.0])),
        size_keep_ratio_max=draw(st.sampled_from([1.0, 1.5])),
    )
    return made, draw(targets())


def execute(made, taken):
    """A venue that does at once what the actions say; what was under way is done too."""
    state, px, leaves = made["state"][0], made["px"][0], made["leaves"][0]
    state[state == BUSY] = EMPTY
    for op, side, _, slot, ticks, lots in taken:
        if op == CANCEL:
            state[side, slot] = EMPTY
        elif op == AMEND:
            assert lots < leaves[side, slot]
            leaves[side, slot] = lots
        elif op == REPLACE:
            px[side, slot], leaves[side, slot] = ticks, lots
        else:
            free = next(s for s in range(SLOTS) if state[side, s] == EMPTY)
            state[side, free], px[side, free], leaves[side, free] = LIVE, ticks, lots
            made["n"][0, side] = max(int(made["n"][0, side]), free + 1)


def within(made, px, leaves, target):
    """Whether an order may stand for a target."""
    ticks, lots = target
    low = made["size_keep_ratio_min"][0] * lots
    high = made["size_keep_ratio_max"][0] * lots if made["amends_max"][0] == 0 else lots
    return abs(px - ticks) <= made["tolerance_ticks"][0] and low <= leaves <= max(high, lots)


@given(situations(st.sampled_from([LIVE, LIVE, EMPTY, BUSY])))
def test_executing_the_actions_makes_the_ladder(situation):
    """Afterwards every target has its order, there is no other, and there is nothing left to do."""
    made, wanted = situation
    execute(made, actions(made, quote(*wanted)))
    for side, side_targets in enumerate(wanted):
        slots = [s for s in range(SLOTS) if made["state"][0, side, s] != EMPTY]
        assert len(slots) == len(side_targets)
        assert actions(made, quote(*wanted)) == []
        for slot in slots:
            level = made["want"][0, side, slot]
            px, leaves = made["px"][0, side, slot], made["leaves"][0, side, slot]
            assert within(made, px, leaves, side_targets[level])


@given(situations())
def test_each_order_and_level_is_acted_upon_at_most_once(situation):
    """And only orders that may be changed are."""
    made, wanted = situation
    taken = actions(made, quote(*wanted))
    slots = [(row[SIDE], row[SLOT]) for row in taken if row[OP] != PLACE]
    levels = [(row[SIDE], row[LEVEL]) for row in taken if row[OP] != CANCEL]
    assert len(set(slots)) == len(slots)
    assert len(set(levels)) == len(levels)
    assert all(made["state"][0, side, slot] == LIVE for side, slot in slots)
    for row in taken:
        if row[OP] != CANCEL:
            ticks, lots = wanted[row[SIDE]][row[LEVEL]]
            assert row[SZ] == lots
            assert row[PX] == ticks or row[OP] == AMEND


@given(situations())
def test_an_order_at_a_wanted_price_and_size_is_not_touched(situation):
    """Unless another one holds that price already: then one of them stays."""
    made, wanted = situation
    taken = actions(made, quote(*wanted))
    moved = {(row[SIDE], row[SLOT]) for row in taken if row[OP] in {CANCEL, REPLACE}}
    for side, side_targets in enumerate(wanted):
        for ticks, lots in side_targets:
            at_price = [
                slot
                for slot in range(made["n"][0, side])
                if made["state"][0, side, slot] in {LIVE, PENDING}
                and made["px"][0, side, slot] == ticks
            ]
            fits = any(
                within(made, ticks, made["leaves"][0, side, slot], (ticks, lots))
                for slot in at_price
            )
            assert not fits or any((side, slot) not in moved for slot in at_price)


@given(situations())
def test_nothing_is_done_to_an_order_within_tolerance_of_a_level_that_stays_unserved(situation):
    """A level is placed or given to a far order only if no free near order fits it."""
    made, wanted = situation
    taken = actions(made, quote(*wanted))
    gone = [row for row in taken if row[OP] in {CANCEL, REPLACE}]
    for row in taken:
        if row[OP] in {PLACE, REPLACE}:
            side = row[SIDE]
            for other in gone:
                if other[SIDE] == side:
                    slot = other[SLOT]
                    px, leaves = made["px"][0, side, slot], made["leaves"][0, side, slot]
                    assert not within(made, px, leaves, wanted[side][row[LEVEL]])


@given(situations())
def test_risk_reducing_actions_come_first(situation):
    """Cancels and amends, then retreats, then advances, then new orders."""
    made, wanted = situation

    def rank(row):
        op, side, _, slot, px, lots = row
        if op == REPLACE:
            step = (px - made["px"][0, side, slot]) * (1 if side == BUY else -1)
            return 1 if step < 0 or (step == 0 and lots < made["leaves"][0, side, slot]) else 2
        return 0 if op in {CANCEL, AMEND} else 3

    ranks = [rank(row) for row in actions(made, quote(*wanted))]
    assert ranks == sorted(ranks)


@given(situations(), st.sampled_from([BUY, SELL]), st.integers(92, 118), st.booleans())
def test_a_held_level_is_left_and_not_taken_again(situation, side, ticks, is_over):
    """Whatever works and is wanted: nothing goes there until the time is over, all there leaves, nothing else."""
    made, wanted = situation
    made["holds_levels"] = 1
    ladder, towards = quote(*wanted), 1 if side == BUY else -1
    plain = actions(made, ladder)
    HOLD(made, ladder, side, ticks, 0, 100)
    made["now_ns"] = 100 if is_over else 99
    taken = actions(made, ladder)
    if is_over:
        assert taken == plain
        return
    assert [r for r in taken if r[SIDE] != side] == [r for r in plain if r[SIDE] != side]
    level = max(
        [i for i, (px, _) in enumerate(wanted[side]) if towards * (px - ticks) >= 0], default=0
    )
    for row in taken:
        if row[SIDE] == side and row[OP] in {PLACE, REPLACE}:
            assert row[LEVEL] > level
            assert towards * (row[PX] - ticks) < 0
    cancelled = {row[SLOT] for row in taken if row[OP] == CANCEL and row[SIDE] == side}
    for slot in range(made["n"][0, side]):
        if (
            made["state"][0, side, slot] == LIVE
            and towards * (made["px"][0, side, slot] - ticks) >= 0
        ):
            assert slot in cancelled


@settings(deadline=None)  # the first example compiles the inlined helpers for the interpreter
@given(situations())
def test_interpreted_and_compiled_agree(situation):
    """The same source, run by Python."""
    made, wanted = situation
    compiled = actions(made, quote(*wanted))
    assert actions(made, quote(*wanted), interpreted(getattr(diff, "py_func", diff))) == compiled
