"""How old a book may get before it counts as stale: a fixed age, longer where the instrument itself is quiet.

A market in which nothing happens for five seconds every minute is not a feed that has died. Withdrawing there
gives the queue away thousands of times a day for nothing, so the limit follows the usual pause between messages.
"""

from functools import partial
from typing import Final

from mmd.core.spec import RiskSpec
from mmd.jit.kernel import Rec, bind, kernel, layout, leaf, new
from mmd.jit.record_field import Field, words

STEPS: Final = 60
"""Steps of the quoter (a second each) that are counted together."""
_WINDOWS_KEPT: Final = 10
"""Memory of the mean: ten minutes."""

PACE = layout(
    ("age_ns_max", "i8"),
    ("pause_ns", "f8"),
    ("pauses", "f8"),  # that make a book stale; 0: its age is fixed
    ("floor_ns", "i8"),
    ("ceiling_ns", "i8"),
    ("steps", "i8"),  # of the window at hand
    ("windows", "i8"),  # behind the mean
    ("from_ns", "i8"),  # when the window began; 0 before the first
    ("messages", "i8"),  # that had come by then
)


@leaf
def step(p: Rec, messages: int, now_ns: int) -> bool:
    """As `BookPace.on_step`, on a row of PACE."""
    if p.pauses == 0.0:
        return False
    p.steps += 1
    if p.steps < STEPS and p.from_ns > 0:
        return False
    came, elapsed_ns = messages - p.messages, now_ns - p.from_ns
    is_first = p.from_ns == 0
    p.steps, p.messages, p.from_ns = 0, messages, now_ns
    if is_first or came == 0:
        return False
    p.windows = min(p.windows + 1, _WINDOWS_KEPT)
    p.pause_ns += (elapsed_ns / came - p.pause_ns) / p.windows
    wanted_ns = int(min(max(p.pauses * p.pause_ns, p.floor_ns), p.ceiling_ns))
    has_changed = wanted_ns != p.age_ns_max
    p.age_ns_max = wanted_ns
    return bool(has_changed)


@kernel
def on_step(pace: Rec, messages: int, now_ns: int) -> int:
    """As `BookPace.on_step`: 1 or 0."""
    return int(step(pace[0], messages, now_ns))


class BookPace:
    """The age at which one instrument's book is stale.

    Attributes:
        record: PACE record.
        age_ns_max: of now: risk.stale_book_pauses mean pauses, between risk.stale_book_ns and its maximum.
        pause_ns: mean time between messages; 0 before the first window that held one.
    """

    age_ns_max = Field(PACE, "age_ns_max", int)

    def __init__(self, risk: RiskSpec) -> None:
        self.record: Rec = new(PACE)
        self.words = words(self.record)
        self.record["age_ns_max"] = self.record["floor_ns"] = risk.stale_book_ns
        self.record["ceiling_ns"] = max(risk.stale_book_ns_max, risk.stale_book_ns)
        self.record["pauses"] = risk.stale_book_pauses
        self._on_step = partial(bind(on_step, self.record, 0, 0), self.record)

    @property
    def pause_ns(self) -> float:
        """See the class."""
        return float(self.record["pause_ns"][0])

    def on_step(self, messages: int, now_ns: int) -> bool:
        """Count a step of the quoter, messages being all that ever came; returns whether the limit has changed.

        A window without any message says nothing of the pace: that is what the limit is for.
        """
        return self._on_step(messages, now_ns) == 1
