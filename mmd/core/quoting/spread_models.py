"""The spread models behind one protocol, chosen by name in the configuration."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, Protocol

import msgspec

from mmd.core.quoting import avellaneda_stoikov, fixed_spread, glft
from mmd.core.quoting.record import QUOTE
from mmd.core.quoting.targets import avellaneda_stoikov_targets, fixed_targets, glft_targets
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, bind, new

BPS: Final = 1e-4
OffsetsKernel = Callable[[Rec, Rec], int]
TargetsKernel = Callable[[Rec, Rec, Rec, Rec, Rec, int, int, float, int, int], int]
BoundTargets = Callable[[int, int, float, int, int], int]
"""A TargetsKernel with its records: position and limit in lots, flow coefficient, best bid and ask in ticks."""


class SpreadSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of every spread model; each reads its own."""

    fixed_half_spread_ticks: float | None = None
    fixed_half_spread_bps: float | None = None
    fixed_skew_half_spreads: float = 1.0
    """Skew at the position limit in half-spreads: at 1 the reducing quote stands at fair value."""
    glft_q_max: int = 60
    """Largest inventory in the table, in order units; beyond 6 target standard deviations it has no effect."""
    close_s: int | None = None
    """Daily close in seconds after midnight UTC; the engine feeds tau_s by `seconds_to_close`."""
    horizon_capped: bool = True


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
    return _Parts(glft.offsets, glft_targets, glft.new_table(settings.glft_q_max))


_MODELS: Final = {"fixed": _fixed, "avellaneda_stoikov": _avellaneda_stoikov, "glft": _glft}
NAMES: Final = tuple(_MODELS)


def spread_model(name: str, settings: SpreadSettings) -> SpreadModel:
    """Build a spread model; compiles its kernel unless the cache has it.

    Raises:
        ConfigError: no such model, or its settings are missing.
    """
    if name not in _MODELS:
        raise ConfigError(f"spread model {name!r} is not known: choose from {', '.join(NAMES)}")
    return KernelSpreadModel(name, _MODELS[name](settings))
