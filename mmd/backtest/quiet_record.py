"""What the compiled loop of a backtest knows of the engine, and what the engine must learn from it."""

from typing import Final

from mmd.core.orders.order_diff import WORKING
from mmd.core.risk.budgets import BUCKETS_MAX
from mmd.core.risk.reasons import RiskReason
from mmd.jit.kernel import layout

GLFT_MODEL, FIXED_MODEL = 0, 1
LOG_MAX: Final = 1024
REASONS: Final = len(RiskReason)
ACTIONS_MAX: Final = int(WORKING["act"].shape[0])

QUIET = layout(
    # Set from the engine before the loop runs
    ("is_quiet", "i8"),  # whether a decision may be taken here
    ("can_refuse", "i8"),  # whether one that only asks for what the risk gate refuses may
    ("position_lots", "i8"),
    ("limit_lots", "i8"),
    ("lag_ns_max", "i8"),
    ("stale_ns", "i8"),
    ("model", "i8"),
    ("flow_coefficient", "f8"),
    ("sigma_max", "f8"),
    ("spread_min", "f8"),  # ticks of the market's own spread
    ("mid_low", "f8"),  # half ticks between which the scale is known to hold
    ("mid_high", "f8"),
    ("decision_cost_ns", "i8"),
    ("is_timed", "i8"),  # orders may move because time passes: no timer may be left out
    ("timer_period_ns", "i8"),
    ("timer_origin_ns", "i8"),
    # The view's attributes, and what the loop made of them
    ("now_ns", "i8"),
    ("changed_ns", "i8"),
    ("lag_ns", "i8"),
    ("has_lag", "i8"),
    ("bid", "i8"),
    ("ask", "i8"),
    ("mid_half_ticks", "i8"),
    ("marked", "i8"),  # mid at the last decision taken here, 0 = none since the last look
    ("last_trade", "i8"),
    ("wants_resync", "i8"),
    ("is_crossed", "i8"),
    ("is_dirty", "i8"),
    ("messages", "i8"),
    ("gaps", "i8"),
    ("crossed", "i8"),
    ("resyncs", "i8"),
    ("checks", "i8"),
    ("mismatches", "i8"),
    # Time
    ("decide_ns", "i8"),  # NEVER = no decision is due
    ("busy_ns", "i8"),  # the last one is through at
    ("last_timer_ns", "i8"),
    ("timer_ns", "i8"),  # when the next timer is due; brought forward by what it must see
    (
        "is_settled",
        "i8",
    ),  # the last decision left nothing to be wished for, and time alone will not change that
    ("decisions", "i8"),  # taken here
    # Orders that the risk gate refused here
    ("refused", "i8"),
    ("skipped", "i8"),  # of these, replacements that were left for another time
    ("reasons", "i8", (REASONS,)),  # how many had each RiskReason
    ("verdicts", "i8", (ACTIONS_MAX,)),  # of the decision at hand
    ("full_ns", "i8", (BUCKETS_MAX,)),  # the budgets before an order was judged
    ("full_rest", "i8", (BUCKETS_MAX,)),
    # For whoever watches
    ("sample_ns", "i8"),  # decisions from here on are the engine's, so that they are seen
    ("logs", "i8"),  # whether mids are logged
    ("n_log", "i8"),
    ("log", "i8", (LOG_MAX, 2)),  # time and mid of decisions taken here, where it was news
)
