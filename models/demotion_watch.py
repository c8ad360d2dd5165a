"""What follows from a demotion: the registry is told, so that the next start does not quote with the same model again.

The engine has taken the champions out already, and a replay of the journal does the same: what is written here only keeps
a restart from undoing it. A session that is killed within the moment between both tries the model again, and demotes it again.
"""

import asyncio
from datetime import UTC, datetime
from typing import get_args

import structlog

from mmd.core.engine import Engine
from mmd.core.lead import name_of
from mmd.core.learned.demotion import DemotionReason
from mmd.core.maker import Maker
from mmd.core.ports import Clock
from mmd.core.units import NANOS_PER_SECOND
from mmd.errors import ArtefactError
from models.artefact import Kind
from models.registry import Demotion, Registry

_log = structlog.get_logger()


class DemotionWatch:
    """Looks at all instruments, and writes each demotion down once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._written: set[tuple[str, str]] = set()
        """Instrument and model of those that stand."""
        self._is_failing = False

    async def look(self, engine: Engine, clock: Clock) -> None:
        """Write down what is new; what cannot be written is tried again at the next look."""
        standing = [found for maker in engine.makers for found in _demotions(maker, clock)]
        self._written &= {(d.instrument, d.model) for _, d in standing}
        for kind, demotion in standing:
            place = demotion.instrument, demotion.model
            if place not in self._written and await self._write(kind, demotion):
                self._written.add(place)

    async def _write(self, kind: Kind, demotion: Demotion) -> bool:
        """Whether it stands there now."""
        try:
            await asyncio.to_thread(self._registry.demote, kind, demotion)
        except (ArtefactError, OSError) as error:
            if not self._is_failing:
                _log.error("demotion_unwritten", model=demotion.model, error=str(error))
            self._is_failing = True
            return False
        self._is_failing = False
        _log.warning(
            "demotion_written",
            instrument=demotion.instrument,
            model=demotion.model,
            do=f"mmd models rollback {kind}, or promote another",
        )
        return True


def _demotions(maker: Maker, clock: Clock) -> list[tuple[Kind, Demotion]]:
    """Who is to blame on an instrument whose champions are out."""
    predictor = maker.predictor
    if predictor is None or predictor.demoted is DemotionReason.NONE:
        return []
    at = datetime.fromtimestamp(clock.unix_ns() // NANOS_PER_SECOND, UTC)
    where, why = name_of(maker.instrument), predictor.demoted.name.lower()
    return [
        (kind, Demotion(predictor.champions[kind], where, why, at.isoformat()))
        for kind in get_args(Kind)
        if kind in predictor.blamed and kind in predictor.champions
    ]
