"""Events that go straight to the makers whom they are about: nothing of the session hangs on them."""

from collections.abc import Callable
from typing import Any

from mmd.core.events import (
    Balance,
    Event,
    FeedUp,
    FundingPaid,
    FundingRate,
    InstrumentStatus,
    ModelOutput,
    ModelRefused,
    ModelSwap,
    PrivateUp,
    Reconciled,
)
from mmd.core.learned.served_model import ModelSource
from mmd.core.maker import Maker


def of_venue(makers: list[Maker], venue: str) -> list[Maker]:
    """Those that trade there."""
    return [m for m in makers if m.instrument.venue == venue]


def maker_handlers(
    makers: list[Maker], models: ModelSource
) -> dict[type[Event], Callable[[Any], None]]:
    """What applies each such event."""
    events = _MakerEvents(makers, models)
    return {
        FeedUp: events.on_feed_up,
        PrivateUp: events.on_private_up,
        Balance: events.on_balance,
        Reconciled: events.on_reconciled,
        InstrumentStatus: events.on_status,
        ModelSwap: events.on_model,
        ModelRefused: events.on_model,
        FundingPaid: events.on_funding,
        FundingRate: events.on_funding,
        ModelOutput: events.on_model_output,
    }


class _MakerEvents:
    """Finds the makers that an event is about."""

    def __init__(self, makers: list[Maker], models: ModelSource) -> None:
        self._makers = makers
        self._models = models

    def on_feed_up(self, event: FeedUp) -> None:
        self._makers[event.instrument].view.is_up = True

    def on_private_up(self, event: PrivateUp) -> None:
        for maker in of_venue(self._makers, event.venue):
            maker.is_private_up = True

    def on_balance(self, event: Balance) -> None:
        for maker in of_venue(self._makers, event.venue):
            maker.ledger.on_balance(event)

    def on_reconciled(self, event: Reconciled) -> None:
        self._makers[event.instrument].on_reconciled(event)

    def on_status(self, event: InstrumentStatus) -> None:
        self._makers[event.instrument].on_status(event.status)

    def on_model(self, event: ModelSwap | ModelRefused) -> None:
        predictor = self._makers[event.instrument].predictor
        if predictor is not None:
            predictor.on_model(event, self._models)

    def on_funding(self, event: FundingPaid | FundingRate) -> None:
        self._makers[event.instrument].on_funding(event)

    def on_model_output(self, event: ModelOutput) -> None:
        predictor = self._makers[event.instrument].predictor
        if predictor is not None:
            predictor.on_output(event)
