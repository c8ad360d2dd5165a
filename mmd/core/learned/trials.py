"""Trials of models on live quotes: who quotes in the block of now, and what judged blocks say of canary and hold-out.

A block answers for its own fills: their markouts at the horizon, less fees, for an order of the size that it quoted. One in
which quotes were pulled, or whose fills were lost, is left out together with its neighbour.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from mmd.core.flow.block_earnings import BlockEarnings
from mmd.core.flow.markout import HORIZONS_NS
from mmd.core.learned.trial_blocks import Draw, TrialBlocks
from mmd.core.learned.trial_spec import TrialArm, TrialSpec
from mmd.core.learned.trial_test import BlockResult, TrialTest
from mmd.core.orders.order_numbers import OrderCounts
from mmd.jit.kernel import Rec

DRAWS_KEPT: Final = 64
_CHAMPION, _CANARY = TrialArm.CHAMPION, TrialArm.CANARY


class _Block(NamedTuple):
    """One that is over, or at hand."""

    draw: Draw
    first: int
    """Fills, as MARKOUT counts them."""
    sent: int
    """Orders before it; of it, once it is over. Refused ones likewise."""
    rejected: int
    end: int = 0


class Trials:
    """One instrument's.

    Attributes:
        arm: who quotes now.
        tests: by rival, since it has been there.
        draws: the last DRAWS_KEPT, newest last, with their propensities.
        draws_total: how many there were.
    """

    def __init__(
        self,
        spec: TrialSpec,
        *,
        seed: int,
        stream: int,
        markout: Rec,
        quote: Rec,
        counts: OrderCounts,
        use: Callable[[TrialArm], None],
    ) -> None:
        """`use` has quotes made by an arm from then on."""
        self.arm = _CHAMPION
        self.tests = {TrialArm.HOLDOUT: TrialTest(spec)}
        self.draws: deque[Draw] = deque(maxlen=DRAWS_KEPT)
        self.draws_total = 0
        self._spec = spec
        self._blocks = TrialBlocks(spec, seed=seed, stream=stream)
        self._earnings = BlockEarnings(markout, HORIZONS_NS.index(spec.horizon_ns))
        self._quote, self._counts, self._use = quote, counts, use
        self._block: _Block | None = None
        self._waiting: deque[_Block] = deque()
        self._first_half: tuple[Draw, BlockResult] | None = None
        self._canary = ""
        self._has_canary = False
        self._per_bps = 0.0

    def on_step(
        self, now_ns: int, ticks_per_bps: float, *, is_quoting: bool, canary: str = ""
    ) -> None:
        """About once a second: judge blocks that are over, and hand the quotes over where one begins.

        `canary` is the id of the model to try; empty: there is none. Another one begins with nothing said of it.
        """
        self._per_bps = ticks_per_bps
        self._judge()
        if canary != self._canary:
            self._meet(canary)
        number = self._blocks.number_at(now_ns)
        block = self._block
        if not is_quoting:
            self._block = None
            self._hand_to(_CHAMPION)
        elif block is None or number != block.draw.number:
            if block is not None:
                self._waiting.append(self._over(block))
            self._begin(number, was_whole=block is not None)

    @property
    def propensity(self) -> float:
        """Of the arm that quotes now; 1 where nothing was drawn."""
        return 1.0 if self._block is None else self._block.draw.propensity

    def _meet(self, canary: str) -> None:
        """Forget the canary before."""
        self._canary = canary
        self.tests.pop(_CANARY, None)
        if canary != "":
            self.tests[_CANARY] = TrialTest(self._spec)
        self._waiting.clear()
        self._first_half = self._block = None
        self._has_canary = False
        self._hand_to(_CHAMPION)

    def _begin(self, number: int, *, was_whole: bool) -> None:
        """The block of now; one that was joined in the middle is the champion's and is not judged."""
        if number % 2 == 0:
            self._has_canary = self._canary != ""
        if not was_whole:
            self._has_canary = False
            self._block = _Block(Draw(number, _CHAMPION, 1.0, _CHAMPION), 0, 0, 0)
            self._hand_to(_CHAMPION)
            return
        draw = self._blocks.draw(number, has_canary=self._has_canary)
        counts = self._counts
        self._block = _Block(draw, self._earnings.head, counts.sent, counts.rejected)
        self.draws.append(draw)
        self.draws_total += 1
        self._hand_to(draw.arm)

    def _over(self, block: _Block) -> _Block:
        counts = self._counts
        return block._replace(
            end=self._earnings.head,
            sent=counts.sent - block.sent,
            rejected=counts.rejected - block.rejected,
        )

    def _hand_to(self, arm: TrialArm) -> None:
        if arm is not self.arm:
            self.arm = arm
            self._use(arm)

    def _judge(self) -> None:
        waiting = self._waiting
        while waiting and self._earnings.is_judged(waiting[0].end):
            block = waiting.popleft()
            result = self._result(block)
            if result is not None and block.draw.rival is not _CHAMPION:
                self._pair(block.draw, result)

    def _result(self, block: _Block) -> BlockResult | None:
        earned = self._earnings.of(block.first, block.end)
        if earned is None or self._per_bps <= 0.0:
            return None
        q, ratio = self._quote[0], 1.0
        unit, least = int(q["unit_lots"]), int(q["lots_min"])
        if block.draw.arm is _CANARY:
            ratio = max(self._spec.canary_size_ratio, least / unit)
        net = earned.tick_lots - float(q["fee"]) * earned.lots
        earned_bps = net / unit / ratio / self._per_bps
        return BlockResult(earned_bps, earned.fills, block.sent, block.rejected)

    def _pair(self, draw: Draw, result: BlockResult) -> None:
        """Keep the first half of a pair; with the second one, add both to the test."""
        before, self._first_half = self._first_half, None
        if draw.number % 2 == 0:
            self._first_half = draw, result
        elif before is not None and before[0].number == draw.number - 1:
            mine = (before[1], result) if draw.arm is _CHAMPION else (result, before[1])
            test = self.tests.get(draw.rival)
            if test is not None:
                test.add(*mine)
