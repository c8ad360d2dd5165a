"""Everything that happened across venues in one session, collected while it is replayed: the core keeps the last ones only."""

import msgspec

from mmd.core.engine import Engine
from mmd.ops.crossvenue_state import (
    ExecutionState,
    OpportunityState,
    RouteState,
    execution_state,
    opportunity_state,
    route_state,
)


class Told(msgspec.Struct):
    """In the order in which they ended; those that were open at the end come last."""

    opportunities: list[OpportunityState]
    executions: list[ExecutionState]
    routes: list[RouteState]


class CrossVenueHistory:
    """Looks at an engine after each record and takes over what is new.

    Attributes:
        told: everything so far.
    """

    def __init__(self) -> None:
        self.told = Told([], [], [])

    def look(self, engine: Engine) -> None:
        """Take over what has ended since the last look."""
        cross = engine.crossvenue
        if cross is None:
            return
        found, executor, router, told = (
            cross.scanner.opportunities,
            cross.executor,
            cross.router,
            self.told,
        )
        closed = sum(found.closed)
        if (
            closed == len(told.opportunities)
            and router.made == len(told.routes)
            and (executor is None or sum(executor.outcomes.values()) == len(told.executions))
        ):
            return
        names, now_ns = {int(o.id): o.name for o in cross.outlets}, engine.now_ns
        began_ns = engine.spec.started_monotonic_ns
        for o in list(found.history)[len(found.history) - (closed - len(told.opportunities)) :]:
            told.opportunities.append(opportunity_state(o, names, began_ns, now_ns))
        if executor is not None:
            ended = sum(executor.outcomes.values())
            for e in list(executor.history)[
                len(executor.history) - (ended - len(told.executions)) :
            ]:
                told.executions.append(execution_state(e, began_ns, now_ns))
        for r in list(router.routes)[len(router.routes) - (router.made - len(told.routes)) :]:
            told.routes.append(route_state(r, names, began_ns))

    def finish(self, engine: Engine) -> None:
        """Take over what is still open at the end."""
        cross = engine.crossvenue
        if cross is None:
            return
        names, now_ns = {int(o.id): o.name for o in cross.outlets}, engine.now_ns
        began_ns = engine.spec.started_monotonic_ns
        for o in cross.scanner.opportunities.open.values():
            self.told.opportunities.append(opportunity_state(o, names, began_ns, now_ns))
        for e in [] if cross.executor is None else cross.executor.active:
            self.told.executions.append(execution_state(e, began_ns, now_ns))
