"""A log line for each opportunity, execution and route, written a moment after it: the core does not log."""

import asyncio
from typing import TypeVar

import structlog

from mmd.core.crossvenue.cross_venue import CrossVenue
from mmd.core.crossvenue.execution import Execution
from mmd.core.crossvenue.opportunity import Opportunity
from mmd.core.crossvenue.routing import describe
from mmd.core.units import ATOMS_PER_UNIT

PERIOD_S = 0.2
_T = TypeVar("_T")
_log = structlog.get_logger()


class CrossVenueLog:
    """Knows what has been written; of each kind at most what the core keeps is, in one period."""

    def __init__(self, cross: CrossVenue) -> None:
        self._cross = cross
        self._names = {int(o.id): o.name for o in cross.outlets}
        self._opened = self._closed = self._ended = self._routed = 0
        if cross.conversions.unconverted:
            _log.warning("not_compared", no_rate_for=cross.conversions.unconverted)

    def write(self) -> None:
        """Log what is new."""
        found, executor, router = (
            self._cross.scanner.opportunities,
            self._cross.executor,
            self._cross.router,
        )
        for opportunity in found.open.values():
            if opportunity.number > self._opened:
                self._tell("opportunity_opened", opportunity)
        self._opened = found.opened
        closed = sum(found.closed)
        for opportunity in _last(list(found.history), closed - self._closed):
            self._tell("opportunity_closed", opportunity)
        self._closed = closed
        if executor is not None:
            ended = sum(executor.outcomes.values())
            for execution in _last(list(executor.history), ended - self._ended):
                self._tell_execution(execution)
            self._ended = ended
        for route in _last(list(router.routes), router.made - self._routed):
            _log.info("route", choice=describe(route, self._names))
        self._routed = router.made

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(PERIOD_S)
            self.write()

    def _tell(self, event: str, o: Opportunity) -> None:
        reason = {} if o.reason is None else {"reason": o.reason.name.lower()}
        lasted = {} if o.closed_ns is None else {"lasted_ms": (o.closed_ns - o.opened_ns) // 10**6}
        _log.info(
            event,
            number=o.number,
            buy=self._names[o.buy],
            sell=self._names[o.sell],
            net=round(o.net_max if o.closed_ns is not None else o.net, 4),
            qty=o.walk.qty_atoms / ATOMS_PER_UNIT,
            **reason,
            **lasted,
        )

    def _tell_execution(self, e: Execution) -> None:
        _log.info(
            "arbitrage",
            number=e.number,
            outcome=e.outcome.name.lower() if e.outcome is not None else None,
            first=e.first.name,
            qty=e.planned_atoms / ATOMS_PER_UNIT,
            expected_net=round(e.expected_net, 4),
            realised_net=round(e.realised_net, 4),
            took_ms=(e.ended_ns - e.began_ns) // 10**6,
        )


def _last(kept: list[_T], new: int) -> list[_T]:
    """The newest so many of what is kept."""
    return kept[max(len(kept) - new, 0) :]
