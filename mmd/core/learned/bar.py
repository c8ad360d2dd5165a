"""What a bar's end takes where champions alone are at work, compiled: all but the network's own step is two calls.

`mmd.core.learned.predictor` takes the same steps one by one where anybody else has a part in them.
"""

from typing import Final

import numpy as np

from mmd.core.learned import policy_run
from mmd.core.learned.bar_memory import MEMORY, remember, row_of
from mmd.core.learned.forest import FOREST
from mmd.core.learned.live_score import SCORE, judge_bar
from mmd.core.learned.model_run import OUTPUTS, walk
from mmd.core.learned.policy_run import CHOICE
from mmd.core.learned.prediction import (
    DRIFTED,
    FAULTS,
    LATE,
    NO_MODEL,
    OK,
    PREDICTION,
    WARMING_UP,
    publish,
    take_price,
    take_spread,
)
from mmd.core.learned.q_policy import POLICY
from mmd.core.learned.samples import CLOSED, SAMPLES, WARM_BARS, close
from mmd.core.market.features import FEATURES
from mmd.core.market.trade_flow import TRADE_FLOW
from mmd.core.market.volatility import VOLATILITY
from mmd.core.quoting.record import QUOTE
from mmd.jit.kernel import Rec, kernel, layout, leaf
from mmd.jit.places import record_at

QUIET: Final = 0
LEANS: Final = 1
"""What `conclude` returns: the policy has another opinion, ..."""
UNSETTLED: Final = 2
"""... the rung changes, or a part is at fault: both statuses are written, the quotes are not."""

BAR = layout(
    ("late_ns", "i8"),  # age of a prediction that is not used any more; 0 = however old
    ("is_doubted", "i8"),  # whether drift forbids the forecast
    ("change_scale", "f8"),  # ticks, of the champion's network at the session's horizon
    ("volatility_scale", "f8"),
)


@kernel
def close_bar(places: Rec, now_ns: int) -> int:
    """`mmd.core.learned.samples.close`; a sample is remembered.

    `places` are those of samples, features, flow and memory.
    """
    p = places[0]
    samples = record_at(p.samples, SAMPLES)
    features, flow = record_at(p.features, FEATURES), record_at(p.flow, TRADE_FLOW)
    status = close(samples, features, flow, now_ns)
    if status == CLOSED:
        remember(record_at(p.memory, MEMORY), samples)
    return int(status)


@leaf
def _trees(p: Rec, is_warm: bool) -> tuple[int, float]:  # noqa: FBT001 - a kernel
    """Walk them; status and half spread in basis points."""
    if p.forest == 0:
        return NO_MODEL, 0.0
    forest = record_at(p.forest, FOREST)
    t = forest[0]
    if is_warm:
        m = record_at(p.memory, MEMORY)[0]
        walk(forest, m.x[row_of(m.bars)])
    else:
        t.status = WARMING_UP
    return t.status, t.out


@leaf
def _choose(p: Rec, end_ns: int, mid: float) -> bool:
    """Have the policy choose; whether it takes another action than before."""
    choice, s = record_at(p.choice, CHOICE), record_at(p.samples, SAMPLES)[0]
    q, c = record_at(p.quote, QUOTE)[0], choice[0]
    before = c.action
    policy_run.choose(
        choice,
        record_at(p.policy, POLICY),
        end_ns,
        q.inventory_ratio,
        mid,
        s.x[policy_run.SPREAD],
        record_at(p.vol, VOLATILITY)[0].sigma,
        q.tau_s,
        s.x[policy_run.IMBALANCE],
    )
    return bool(c.action != before)


@leaf
def _price(p: Rec, now_ns: int, end_ns: int, status: int) -> int:
    """Write what the network says as far as it may be used; returns the part's status."""
    prediction, b = record_at(p.prediction, PREDICTION), record_at(p.bar, BAR)[0]
    if p.said == 0:
        return int(take_price(prediction, NO_MODEL, 0.0, 0.0, 0.0, 0.0, 0.0))
    if status == OK and b.late_ns > 0 and end_ns > 0 and now_ns - end_ns > b.late_ns:
        status = LATE
    elif status == OK and b.is_doubted == 1:
        status = DRIFTED
    o, wide = record_at(p.said, OUTPUTS)[0], np.float64
    change, log_volatility, logit = wide(o.change), wide(o.log_volatility), wide(o.logit)
    scales = b.change_scale, b.volatility_scale
    return int(take_price(prediction, status, change, log_volatility, logit, scales[0], scales[1]))


@kernel
def conclude(places: Rec, now_ns: int, price_status: int) -> int:
    """After the network's step: walk the trees, score, choose, and write what quotes read.

    Args:
        places: of all that `mmd.core.learned.ordinary_bar` names; 0 = there is none.
        now_ns: engine time.
        price_status: PartStatus of the network's run.

    Returns:
        QUIET, or of LEANS and UNSETTLED those that hold.
    """
    p = places[0]
    s, prediction = record_at(p.samples, SAMPLES)[0], record_at(p.prediction, PREDICTION)
    o, mid, end_ns = prediction[0], record_at(p.features, FEATURES)[0].mid, s.end_ns - s.bar_ns
    is_warm, told = s.bars >= WARM_BARS, QUIET
    spread_status, half_bps = _trees(p, is_warm)
    if p.score != 0:
        judge_bar(record_at(p.score, SCORE), mid, int(price_status == OK))
    if p.choice != 0 and is_warm and _choose(p, end_ns, mid):
        told = LEANS
    o.end_ns, o.bars = end_ns, s.bars
    price = _price(p, now_ns, end_ns, price_status)
    spread = take_spread(prediction, spread_status, half_bps)
    rung = o.rung
    if price in FAULTS or spread in FAULTS:
        return told | UNSETTLED
    features = record_at(p.features, FEATURES)
    is_same = publish(prediction, record_at(p.quote, QUOTE), features, now_ns) == rung
    return told if is_same else told | UNSETTLED
