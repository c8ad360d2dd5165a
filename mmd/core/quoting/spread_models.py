"""The spread models behind one protocol, chosen by name in the configuration."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, Protocol

import msgspec

from mmd.core.quoting import (
    avellaneda_stoikov,
    dynamic_spread,
    fixed_spread,
    glft,
    ho_stoll,
    learned_spread,
)
from mmd.core.quoting.record import QUOTE
from mmd.core.quoting.targets import (
    avellaneda_stoikov_targets,
    dynamic_targets,
    fixed_targets,
    glft_closed_targets,
    glft_targets,
    ho_stoll_components_targets,
    ho_stoll_linear_targets,
    learned_targets,
)
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, bind, new

BPS: Final = 1e-4
GLFT_FORMS: Final = ("exact", "closed")
HO_STOLL_FORMS: Final = ("linear", "components")
OffsetsKernel = Callable[[Rec, Rec], int]
TargetsKernel = Callable[[Rec, Rec, Rec, Rec, Rec, int, int, float, int, int], int]
BoundTargets = Callable[[int, int, float, int, int], int]
"""A TargetsKernel with its records: position and limit in lots, flow coefficient, best bid and ask in ticks."""


class SpreadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of every spread model; each reads its own.

    Raises:
        ConfigError: a form that there is not.
    """

    fixed_half_spread_ticks: float | None = None
    fixed_half_spread_bps: float | None = None
    fixed_skew_half_spreads: float = 1.0
    """Skew at the position limit in half-spreads, of fixed and dynamic: at 1 the reducing quote is at fair value."""
    glft_form: str = "exact"
    glft_q_max: int = 60
    """Largest inventory in the table, in order units; beyond 6 target standard deviations it has no effect."""
    close_s: int | None = None
    """Daily close in seconds after midnight UTC; the engine feeds tau_s by `seconds_to_close`."""
    horizon_capped: bool = True
    ho_stoll_form: str = "linear"
    ho_stoll_processing_bps: float = 0.0
    """Cost of handling a fill besides its fee; only the component form reads it."""
    dynamic_width: float = 1.0
    """Half spread in moves of the mid that are expected while a quote stands."""
    dynamic_life_s: float = 0.0
    """How long a quote stands; 0: by the fill intensity."""
    dynamic_inventory_widening: float = 0.5
    dynamic_activity_exponent: float = 0.5
    """Above 0 widens in bursts of volume, below 0 narrows."""

    def __post_init__(self) -> None:
        """Refuse a form that is not known."""
        for name, forms in (("glft_form", GLFT_FORMS), ("ho_stoll_form", HO_STOLL_FORMS)):
            found = getattr(self, name)
            if found not in forms:
                raise ConfigError(f"{name} is {found!r}, expected {' or '.join(forms)}: change it")


class SpreadModel(Protocol):
    """Half-spreads and skew from the inputs in a QUOTE record, alone or with the stages around them."""

    @property
    def name(self) -> str:
        """The name it is configured by."""
        ...

    @property
    def parameters(self) -> Rec:
        """The record that its kernels read beside the quote."""
        ...

    def offsets(self, quote: Rec) -> int:
        """Write quote.offset and quote.skew; returns OK, or why the instrument must not be quoted."""
        ...

    def bind_targets(self, quote: Rec, features: Rec, vol: Rec, intensity: Rec) -> BoundTargets:
        """The kernel of mmd.core.quoting.targets that goes through all stages in one call."""
        ...


class _Parts(NamedTuple):
    """What a spread model is made of."""

    offsets: OffsetsKernel
    targets: TargetsKernel
    parameters: Rec


class KernelSpreadModel:
    """A spread model that is compiled kernels and the record of its parameters."""

    __slots__ = ("_bound", "_targets", "name", "parameters")

    def __init__(self, name: str, parts: _Parts) -> None:
        self.name = name
        self.parameters = parts.parameters
        self._targets = parts.targets
        self._bound = bind(parts.offsets, new(QUOTE), parts.parameters)

    def offsets(self, quote: Rec) -> int:
        """Write quote.offset and quote.skew; returns OK, or why the instrument must not be quoted."""
        return self._bound(quote, self.parameters)

    def bind_targets(self, quote: Rec, features: Rec, vol: Rec, intensity: Rec) -> BoundTargets:
        """The kernel of mmd.core.quoting.targets that goes through all stages in one call."""
        records = (quote, self.parameters, features, vol, intensity)
        return partial(bind(self._targets, *records, 0, 0, 0.0, 0, 0), *records)


def _fixed(settings: SpreadSettings) -> _Parts:
    ticks, bps = settings.fixed_half_spread_ticks, settings.fixed_half_spread_bps
    value = bps if ticks is None else ticks
    if value is None or (ticks is not None and bps is not None) or not 0.0 < value < 1e15:
        raise ConfigError(
            "spread model fixed needs one half-spread above 0, found "
            f"fixed_half_spread_ticks={ticks} and fixed_half_spread_bps={bps}: set exactly one"
        )
    fixed = new(fixed_spread.FIXED)
    fixed["half_spread_ticks"] = 0.0 if ticks is None else ticks
    fixed["half_spread_fraction"] = 0.0 if bps is None else bps * BPS
    fixed["skew_half_spreads"] = settings.fixed_skew_half_spreads
    return _Parts(fixed_spread.offsets, fixed_targets, fixed)


def _avellaneda_stoikov(settings: SpreadSettings) -> _Parts:
    close_s = settings.close_s
    if close_s is None or not 0 <= close_s < avellaneda_stoikov.DAY_S:
        raise ConfigError(
            f"spread model avellaneda_stoikov needs a close of 0 to 86399 s after midnight UTC, found "
            f"close_s={close_s}: set it, or use glft where trading never closes"
        )
    horizon = avellaneda_stoikov.new_horizon(capped=settings.horizon_capped)
    return _Parts(avellaneda_stoikov.offsets, avellaneda_stoikov_targets, horizon)


def _glft(settings: SpreadSettings) -> _Parts:
    if settings.glft_form == "closed":
        return _Parts(glft.closed_form, glft_closed_targets, new(glft.NO_TABLE))
    return _Parts(glft.offsets, glft_targets, glft.new_table(settings.glft_q_max))


def _ho_stoll(settings: SpreadSettings) -> _Parts:
    dealer = new(ho_stoll.HO_STOLL)
    dealer["has_close"] = settings.close_s is not None
    dealer["processing_fraction"] = settings.ho_stoll_processing_bps * BPS
    if settings.ho_stoll_form == "linear":
        return _Parts(ho_stoll.linear_offsets, ho_stoll_linear_targets, dealer)
    return _Parts(ho_stoll.component_offsets, ho_stoll_components_targets, dealer)


def _dynamic(settings: SpreadSettings) -> _Parts:
    dynamic = new(dynamic_spread.DYNAMIC)
    dynamic["width"] = settings.dynamic_width
    dynamic["life_s"] = settings.dynamic_life_s
    dynamic["inventory_widening"] = settings.dynamic_inventory_widening
    dynamic["activity_exponent"] = settings.dynamic_activity_exponent
    dynamic["skew_half_spreads"] = settings.fixed_skew_half_spreads
    return _Parts(dynamic_spread.offsets, dynamic_targets, dynamic)


def _learned(settings: SpreadSettings) -> _Parts:
    return _Parts(learned_spread.offsets, learned_targets, glft.new_table(settings.glft_q_max))


_MODELS: Final = {
    "fixed": _fixed,
    "avellaneda_stoikov": _avellaneda_stoikov,
    "glft": _glft,
    "ho_stoll": _ho_stoll,
    "dynamic": _dynamic,
    "learned": _learned,
}
NAMES: Final = tuple(_MODELS)


def spread_model(name: str, settings: SpreadSettings) -> SpreadModel:
    """Build a spread model; compiles its kernel unless the cache has it.

    Raises:
        ConfigError: no such model, or its settings are missing.
    """
    if name not in _MODELS:
        raise ConfigError(f"spread model {name!r} is not known: choose from {', '.join(NAMES)}")
    return KernelSpreadModel(name, _MODELS[name](settings))
