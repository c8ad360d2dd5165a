"""The spread models behind one protocol, chosen by name in the configuration."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from mmd.core.quoting import avellaneda_stoikov, glft
from mmd.core.quoting.record import ASK, BID, NOT_FINITE, OK, QUOTE
from mmd.core.quoting.skew import linear_skew
from mmd.errors import ConfigError
from mmd.jit.kernel import Rec, bind, kernel, layout, new

BPS: Final = 1e-4
OffsetsKernel = Callable[[Rec, Rec], int]

FIXED = layout(
    ("half_spread_ticks", "f8"),
    ("half_spread_fraction", "f8"),  # of mid, added to the ticks
    ("skew_half_spreads", "f8"),
)


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
    """Half-spreads and skew from the inputs in a QUOTE record."""

    @property
    def name(self) -> str:
        """The name it is configured by."""
        ...

    def offsets(self, quote: Rec) -> int:
        """Write quote.offset and quote.skew; returns OK, or why the instrument must not be quoted."""
        ...


class KernelSpreadModel:
    """A spread model that is one compiled kernel and the record of its parameters."""

    __slots__ = ("_bound", "_parameters", "name")

    def __init__(self, name: str, offsets: OffsetsKernel, parameters: Rec) -> None:
        self.name = name
        self._parameters = parameters
        self._bound = bind(offsets, new(QUOTE), parameters)

    def offsets(self, quote: Rec) -> int:
        """Write quote.offset and quote.skew; returns OK, or why the instrument must not be quoted."""
        return self._bound(quote, self._parameters)


@kernel
def fixed_offsets(quote: Rec, fixed: Rec) -> int:
    """Write the same half-spread on both sides and a skew linear in the inventory ratio."""
    q, f = quote[0], fixed[0]
    half = f.half_spread_ticks + f.half_spread_fraction * q.mid
    q.offset[BID] = half
    q.offset[ASK] = half
    q.skew = linear_skew(q.inventory_ratio, f.skew_half_spreads * half)
    finite = -1e300 < half < 1e300 and -1e300 < q.skew < 1e300
    return OK if finite else NOT_FINITE


def _fixed(settings: SpreadSettings) -> tuple[OffsetsKernel, Rec]:
    ticks, bps = settings.fixed_half_spread_ticks, settings.fixed_half_spread_bps
    value = bps if ticks is None else ticks
    if value is None or (ticks is not None and bps is not None) or not 0.0 < value < 1e15:
        raise ConfigError(
            "spread model fixed needs one half-spread above 0, found "
            f"fixed_half_spread_ticks={ticks} and fixed_half_spread_bps={bps}: set exactly one"
        )
    fixed = new(FIXED)
    fixed["half_spread_ticks"] = 0.0 if ticks is None else ticks
    fixed["half_spread_fraction"] = 0.0 if bps is None else bps * BPS
    fixed["skew_half_spreads"] = settings.fixed_skew_half_spreads
    return fixed_offsets, fixed


def _avellaneda_stoikov(settings: SpreadSettings) -> tuple[OffsetsKernel, Rec]:
    close_s = settings.close_s
    if close_s is None or not 0 <= close_s < avellaneda_stoikov.DAY_S:
        raise ConfigError(
            f"spread model avellaneda_stoikov needs a close of 0 to 86399 s after midnight UTC, found "
            f"close_s={close_s}: set it, or use glft where trading never closes"
        )
    return avellaneda_stoikov.offsets, avellaneda_stoikov.new_horizon(
        capped=settings.horizon_capped
    )


def _glft(settings: SpreadSettings) -> tuple[OffsetsKernel, Rec]:
    return glft.offsets, glft.new_table(settings.glft_q_max)


_MODELS: Final = {"fixed": _fixed, "avellaneda_stoikov": _avellaneda_stoikov, "glft": _glft}
NAMES: Final = tuple(_MODELS)


def spread_model(name: str, settings: SpreadSettings) -> SpreadModel:
    """Build a spread model; compiles its kernel unless the cache has it.

    Raises:
        ConfigError: no such model, or its settings are missing.
    """
    if name not in _MODELS:
        raise ConfigError(f"spread model {name!r} is not known: choose from {', '.join(NAMES)}")
    return KernelSpreadModel(name, *_MODELS[name](settings))
