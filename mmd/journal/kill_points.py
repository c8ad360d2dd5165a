"""Named steps of an order's and of a session's life, at which tests end the process as kill -9 does.

A step is a record of the journal, because nothing is applied or sent that was not journalled; a phase says how far
it has got. Nothing here ends anything: see `mmd.journal.dying_journal` and `mmd.simulation.dying_journal`.
"""

from enum import StrEnum, unique
from typing import Final, NamedTuple

from mmd.core.commands import (
    AmendOrder,
    CancelAll,
    CancelOrder,
    Command,
    PlaceOrder,
    QueryOrder,
    ReplaceOrder,
)
from mmd.core.events import (
    Balance,
    CancelRejected,
    Decision,
    Event,
    FeedDown,
    FeedUp,
    Fill,
    OperatorCommand,
    OrderAccepted,
    OrderEnded,
    OrderRejected,
    OrderStatus,
    PrivateDown,
    PrivateUp,
    Reconciled,
    RequestTimedOut,
    Timer,
)
from mmd.errors import ConfigError


@unique
class Phase(StrEnum):
    """How far a step has got when the process ends."""

    BEFORE = "before"
    """Nothing of it is in the journal."""
    TORN = "torn"
    """Half of its record is."""
    WRITTEN = "written"
    """Its record is, and it was neither applied nor sent."""
    DONE = "done"
    """It was applied or sent, and nothing that follows was written."""


class KillPoint(NamedTuple):
    """A step and a phase of it."""

    step: str
    phase: Phase

    @property
    def name(self) -> str:
        """As in `place:torn`."""
        return f"{self.step}:{self.phase.value}"


MARKET: Final = "market"
ROLL: Final = "roll"
"""A new segment of the journal is begun."""
_STEPS: Final[dict[type[Command] | type[Event], str]] = {
    PlaceOrder: "place",
    ReplaceOrder: "replace",
    CancelOrder: "cancel",
    CancelAll: "cancel_all",
    AmendOrder: "amend",
    QueryOrder: "query",
    OrderAccepted: "accepted",
    OrderRejected: "rejected",
    OrderEnded: "ended",
    CancelRejected: "cancel_refused",
    Fill: "fill",
    OrderStatus: "status",
    RequestTimedOut: "timed_out",
    Balance: "balance",
    Reconciled: "reconciled",
    FeedUp: "feed_up",
    FeedDown: "feed_down",
    PrivateUp: "private_up",
    PrivateDown: "private_down",
    OperatorCommand: "operator",
    Decision: "decision",
    Timer: "timer",
}


def step_of(record: Command | Event) -> str:
    """The step that a record is; empty for what nobody wants to die at."""
    return _STEPS.get(type(record), "")


def kill_point(text: str) -> tuple[KillPoint, int]:
    """Read STEP:PHASE or STEP:PHASE:N, the N-th time that it is reached. Raises: ConfigError."""
    step, _, rest = text.partition(":")
    phase, _, count = rest.partition(":")
    steps = {MARKET, ROLL, *_STEPS.values()}
    if step not in steps or phase not in set(Phase) or not (count or "1").isdecimal():
        raise ConfigError(
            f"expected STEP:PHASE or STEP:PHASE:N with a step of {', '.join(sorted(steps))} and a phase of "
            f"{', '.join(Phase)}, found {text!r}"
        )
    return KillPoint(step, Phase(phase)), int(count or "1")
