"""What the compiled loop of a backtest knows of the engine, and what the engine must learn from it."""

from typing import Final

from mmd.core.orders.order_diff import WORKING
from mmd.core.risk.budgets import BUCKETS_MAX
from mmd.core.risk.reasons import RiskReason
from mmd.jit.kernel import layout

GLFT_MODEL, FIXED_MODEL = 0, 1
LOG_MAX: Final = 1024
LOG_COLUMNS: Final = 8
REASONS: Final = len(RiskReason)
ACTIONS_MAX: Final = int(WORKING["act"].shape[0])

QUIET = layout(
    # Set from the engine before the loop runs
    ("is_quiet", "i8"),  # whether a decision may be taken here
    ("is_asleep", "i8"),  # the book is stale and no order rests: until it moves, a decision is none
    ("can_refuse", "i8"),  # whether one that only asks for what the risk gate refuses may
    ("level", "i8"),  # of risk
    ("position_lots", "i8"),
    ("lag_ns_max", "i8"),
    (
        "until_ns",
        "i8",
    ),  # when time alone changes something: the next timer and decision are the engine's
    ("model", "i8"),
    ("decision_cost_ns", "i8"),
    ("is_timed", "i8"),  # orders may move because time passes: no timer may be left out
    ("timer_period_ns", "i8"),
    ("timer_origin_ns", "i8"),
    # Time
    ("now_ns", "i8"),  # the engine's
    ("decide_ns", "i8"),  # NEVER = no decision is due
    ("busy_ns", "i8"),  # the last one is through at
    ("last_timer_ns", "i8"),
    ("timer_ns", "i8"),  # when the next timer is due; brought forward by what it must see
    # Decisions taken here
    (
        "is_settled",
        "i8",
    ),  # the last left nothing to be wished for, and time alone will not change that
    ("decisions", "i8"),
    ("marked", "i8"),  # mid at the last of them, 0 = none since the engine looked
    ("last_number", "i8"),  # of our orders
    # Orders that the risk gate refused here
    ("refused", "i8"),
    ("skipped", "i8"),  # of these, replacements that were left for another time
    ("reasons", "i8", (REASONS,)),  # how many had each RiskReason
    ("verdicts", "i8", (ACTIONS_MAX,)),  # of the decision at hand
    ("full_ns", "i8", (BUCKETS_MAX,)),  # the budgets before an order was judged
    ("full_rest", "i8", (BUCKETS_MAX,)),
    # For whoever watches
    ("logs", "i8"),  # whether decisions are logged
    ("sample_ns", "i8"),  # the first decision from here on is sampled
    ("step_ns", "i8"),  # how far samples are apart
    ("samples_left", "i8"),  # until they are to be thinned
    ("n_log", "i8"),
    ("log", "i8", (LOG_MAX, LOG_COLUMNS)),  # see Recorder.on_decisions
)
