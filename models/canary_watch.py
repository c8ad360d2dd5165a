"""What follows from a canary's trial: it becomes champion, waits for a person's word, or is tried no more."""

import asyncio

import structlog

from mmd.core.engine import Engine
from mmd.core.learned.trial_spec import TrialArm
from mmd.core.learned.trial_test import Verdict
from mmd.errors import ArtefactError
from models.registry import Registry

_log = structlog.get_logger()


class CanaryWatch:
    """Looks at the verdicts of all instruments, and acts once on each canary."""

    def __init__(self, registry: Registry, *, promotes: bool) -> None:
        """`promotes` makes a better canary champion without asking."""
        self._registry = registry
        self._promotes = promotes
        self._settled = ""

    async def look(self, engine: Engine) -> None:
        """Act on a verdict that is new; one instrument that says worse is enough to end it."""
        canary, verdicts = _verdicts(engine)
        if canary in ("", self._settled):
            return
        try:
            if verdicts & {Verdict.WORSE, Verdict.RISKY}:
                self._settled = canary
                said = "worse" if Verdict.WORSE in verdicts else "risky"
                _log.warning("canary_ended", model=canary, verdict=said)
                await asyncio.to_thread(self._registry.end_canary)
            elif Verdict.BETTER in verdicts:
                self._settled = canary
                await self._on_better(canary)
        except ArtefactError as error:
            _log.error("canary_unsettled", model=canary, error=str(error))

    async def _on_better(self, canary: str) -> None:
        if self._promotes:
            before = await asyncio.to_thread(self._registry.promote, canary)
            _log.warning("canary_promoted", model=canary, before=before)
        else:
            _log.warning("canary_ready", model=canary, do=f"mmd models promote {canary}")


def _verdicts(engine: Engine) -> tuple[str, set[Verdict]]:
    """The canary's id, and what the instruments that try it say."""
    canary, found = "", set()
    for maker in engine.makers:
        predictor, learning = maker.predictor, maker.learning
        if predictor is None or learning is None or learning.trials is None:
            continue
        test = learning.trials.tests.get(TrialArm.CANARY)
        if test is not None:
            canary = next(iter(predictor.seats.canaries.values()), "")
            found.add(test.verdict)
    return canary, found
