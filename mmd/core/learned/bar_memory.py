"""Inputs of the last bars, for a model that comes in the middle of a session to warm up on at once."""

from mmd.core.learned.samples import WARM_BARS
from mmd.core.learned.schema import N
from mmd.jit.kernel import F4, Rec, kernel, layout, leaf, new

MEMORY = layout(
    ("bars", "i8"),  # since the sampling clock last started
    ("x", "f4", (WARM_BARS, N)),  # a ring
)


@leaf
def row_of(bars: int) -> int:
    """Where in the ring the bar stands that makes so many."""
    return (bars - 1) % WARM_BARS


@kernel
def remember(memory: Rec, samples: Rec) -> None:
    """Keep the inputs of the bar that the sampling clock has just closed."""
    m, s = memory[0], samples[0]
    m.bars = s.bars
    at = row_of(s.bars)
    for i in range(N):
        m.x[at, i] = s.x[i]


class BarMemory:
    """One instrument's.

    Attributes:
        record: MEMORY.
    """

    def __init__(self) -> None:
        self.record: Rec = new(MEMORY)
        self._bars = memoryview(self.record["bars"])
        self._rows: list[F4] = list(self.record["x"][0])

    @property
    def bars(self) -> int:
        """How many there were since the sampling clock last started."""
        return self._bars[0]

    @property
    def newest(self) -> F4:
        """Inputs of the last bar."""
        return self._rows[(self._bars[0] - 1) % WARM_BARS]

    def forget(self) -> None:
        """The feed has a gap."""
        self._bars[0] = 0

    def last(self) -> list[F4]:
        """Those that are remembered, oldest first."""
        known = min(self.bars, WARM_BARS)
        return [self._rows[(self.bars - back) % WARM_BARS] for back in range(known, 0, -1)]
