"""From artefacts on disk to what an engine takes, and where a replay finds the models that a session quoted with."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from mmd.core.instrument import Instrument
from mmd.core.learned.models_spec import ModelsSpec
from mmd.core.learned.served_model import KINDS, PRICE, ModelShelf, ServedModel
from mmd.core.spec import SessionSpec
from mmd.errors import ArtefactError
from mmd.journal.reader import read_spec
from models.artefact import Artefact, Kind
from models.registry import Registry

SHIPPED: Final = Path(__file__).parent / "shipped"
"""Models that come with mmd; a registry of one's own goes before them."""
CHANGE_SCALE, VOLATILITY_SCALE = "change_scale", "volatility_scale"
"""Arrays beside a network's weights: what its outputs are in units of, ticks, by horizon."""


def registry_at(folder: Path | str) -> Registry:
    """The registry of the settings' folder."""
    return Registry(Path(folder), SHIPPED)


def served(artefact: Artefact) -> ServedModel:
    """What the engine takes of an artefact. Raises: ArtefactError where a network says nothing of its scales."""
    manifest, weights = artefact.manifest, artefact.weights
    scales: dict[str, tuple[float, ...]] = {}
    if manifest.kind == PRICE:
        scales = {
            name: _scale(artefact, weights.get(name)) for name in (CHANGE_SCALE, VOLATILITY_SCALE)
        }
    return ServedModel(
        id=artefact.path.name,
        kind=manifest.kind,
        bar_ns=manifest.bar_ns,
        horizons=manifest.horizons,
        weights=weights,
        **scales,
    )


def _scale(artefact: Artefact, values: np.ndarray[Any, Any] | None) -> tuple[float, ...]:
    horizons = artefact.manifest.horizons
    if values is None or values.shape != (len(horizons),) or not np.all(np.isfinite(values)):
        raise ArtefactError(
            f"{artefact.path}: expected {CHANGE_SCALE} and {VOLATILITY_SCALE}, one for each of {len(horizons)} "
            "horizons: export it again"
        )
    return tuple(float(v) for v in values)


def fits(artefact: Artefact, instrument: Instrument) -> bool:
    """Whether a model was trained on this instrument, on any venue, or on a pool."""
    return artefact.manifest.symbol in ("*", instrument.symbol)


def has_weight(artefact: Artefact) -> bool:
    """Whether a model earned a say in its own evaluation; one whose weight came out as 0 moves no quote."""
    return artefact.manifest.metrics.get("ensemble_weight", 1.0) > 0.0


class RegistrySource:
    """Models of a registry by their ids, read and checked when they are first asked for."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._shelf = ModelShelf()
        self._known: set[str] = set()

    def find(self, model_id: str) -> ServedModel:
        """The model. Raises: ArtefactError."""
        if model_id not in self._known:
            self._shelf.put(served(self._registry.load(model_id)))
            self._known.add(model_id)
        return self._shelf.find(model_id)


def models_of(session: Path, folder: Path | None = None) -> RegistrySource | None:
    """Where a replay of a recorded session finds its models; None where it had none.

    Args:
        session: the journal's folder.
        folder: the registry, where it is not at the place that the session knew.

    Raises:
        JournalError: There is no header.
    """
    spec: ModelsSpec = read_spec(session).models
    if not spec.enabled:
        return None
    return RegistrySource(registry_at(spec.folder if folder is None else folder))


def champions_for(spec: SessionSpec, instrument: Instrument) -> ModelShelf:
    """The champions of a session's registry that an instrument is to be quoted with.

    Raises:
        ArtefactError: One that is damaged, or made for something else.
    """
    registry, shelf = registry_at(spec.models.folder), ModelShelf()
    for kind in wanted_kinds(spec.models):
        artefact = registry.champion(kind)
        if artefact is not None and fits(artefact, instrument) and has_weight(artefact):
            shelf.put(served(artefact))
    return shelf


def wanted_kinds(spec: ModelsSpec) -> tuple[Kind, ...]:
    """Kinds that have a say, or are watched: all of them where nothing is quoted by any."""
    has_network = spec.uses_forecast and not spec.is_online
    has_say = {"price_lstm": has_network, "spread_forest": spec.spread_weight > 0.0}
    is_shadow = not (spec.uses_forecast or any(has_say.values()) or spec.uses_policy)
    wanted: tuple[Kind, ...] = tuple(
        kind for kind in _KINDS if is_shadow or has_say.get(kind, spec.uses_policy)
    )
    return wanted


_KINDS: Final[tuple[Kind, ...]] = ("price_lstm", "spread_forest", "q_table")
assert _KINDS == KINDS, "artefacts and the engine name kinds alike"
