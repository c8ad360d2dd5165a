"""A trained model as the engine takes it: its arrays, what they mean, and where to get it by its id."""

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any, Final, Protocol

import msgspec
import numpy as np

from mmd.errors import ArtefactError

PRICE, SPREAD, POLICY = "price_lstm", "spread_forest", "q_table"
"""Kinds of models, as artefacts name them."""
KINDS: Final = (PRICE, SPREAD, POLICY)


class ModelRole(IntEnum):
    """What a model is there for."""

    CHAMPION = 0
    """Quotes are made with it."""
    CHALLENGER = 1
    """It predicts, is scored, and moves nothing."""
    CANARY = 2
    """It quotes in blocks of time that are drawn for it, at a small size."""


class ServedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model that has been read and found whole."""

    id: str
    """Names its content: the same id is the same model anywhere."""
    kind: str
    bar_ns: int
    horizons: tuple[int, ...] = ()
    """Bars ahead, in the order of a network's outputs."""
    weights: Mapping[str, np.ndarray[Any, Any]]
    change_scale: tuple[float, ...] = ()
    """What a network's change of the mid is in units of, ticks, by horizon."""
    volatility_scale: tuple[float, ...] = ()


class ModelSource(Protocol):
    """Where an engine finds the model that an event names."""

    def find(self, model_id: str) -> ServedModel:
        """The model; the same content for the same id, always. Raises: ArtefactError."""
        ...


class ModelShelf:
    """Models that were put there before an event named them."""

    def __init__(self) -> None:
        self._models: dict[str, ServedModel] = {}

    def put(self, model: ServedModel) -> None:
        """Keep a model; all are kept until the end, so that going back to one needs no disk."""
        self._models[model.id] = model

    def __iter__(self) -> Iterator[ServedModel]:
        """All of them, in the order in which they came."""
        return iter(self._models.values())

    def find(self, model_id: str) -> ServedModel:
        """The model. Raises: ArtefactError."""
        model = self._models.get(model_id)
        if model is None:
            raise ArtefactError(
                f"model {model_id} is needed to go on and is not at hand: expected it in the folder of models"
            )
        return model
