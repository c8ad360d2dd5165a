"""The mid and the net traded volume of the last half hour, one sample a second, in constant memory."""

from typing import Final

from mmd.jit.kernel import Rec, layout, leaf

SAMPLES_MAX: Final = 2048

HISTORY = layout(
    ("head", "i8"),  # samples ever noted
    ("ts_ns", "i8", (SAMPLES_MAX,)),
    ("mid", "i8", (SAMPLES_MAX,)),  # half ticks
    ("net_lots", "i8", (SAMPLES_MAX,)),  # bought less sold by aggressors since the start
)


@leaf
def note(h: Rec, mid_half_ticks: int, net_lots: int, now_ns: int) -> None:
    """Keep one sample; times must not go back."""
    i = h.head % SAMPLES_MAX
    h.ts_ns[i] = now_ns
    h.mid[i] = mid_half_ticks
    h.net_lots[i] = net_lots
    h.head += 1


@leaf
def oldest_ns(h: Rec) -> int:
    """When the oldest sample was taken; needs at least one."""
    return int(h.ts_ns[max(h.head - SAMPLES_MAX, 0) % SAMPLES_MAX])


@leaf
def mid_at(h: Rec, ts_ns: int) -> int:
    """Half ticks of the last sample at or before a time; 0 where there is none. O(log SAMPLES_MAX)."""
    low, high = max(h.head - SAMPLES_MAX, 0), h.head
    while low < high:
        middle = (low + high) // 2
        if h.ts_ns[middle % SAMPLES_MAX] <= ts_ns:
            low = middle + 1
        else:
            high = middle
    at = low - 1
    if at < 0 or at < h.head - SAMPLES_MAX:
        return 0
    return int(h.mid[at % SAMPLES_MAX])
