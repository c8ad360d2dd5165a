"""Which adapters there are: a name in the configuration → its settings and its venue, imported when asked for."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from mmd.core.instrument import Instrument
from mmd.core.ports import Clock, Venue
from mmd.errors import ConfigError
from mmd.guardian.sweep import OwnOrders
from mmd.tape.importers.formats import Format

if TYPE_CHECKING:  # they would load the compiler into processes that need none
    from numpy.random import Generator

    from mmd.shell.rehearsal import StageAt

_ADAPTERS = {"binance_spot": ("BinanceSpotSettings", "BinanceSpotVenue")}
"""Package under `adapters` → settings class in its `settings`, venue class in its `venue`, beside functions compile_kernels
and stage_at."""

RECORDING_FORMATS = {
    "binance-raw": Format(
        "raw frames of Binance spot, USD-M or COIN-M: lines '<local us or ns> <json>' (.gz or plain)",
        "adapters.binance_spot.recording",
        "open_recording",
    ),
    "binance-json": Format(
        "JSON files (.json or .json.gz) of Binance's own messages: a snapshot, diffs, trades",
        "adapters.binance_spot.json_messages",
        "open_json_messages",
    ),
}
"""Formats of recordings that are read by an adapter's codec, beside `mmd.tape.importers.formats.FORMATS`."""


class Adapter(NamedTuple):
    """How to configure and make a venue; `venue` takes (name, settings, clock, rng, *, first_instrument)."""

    settings: type[BaseModel]
    venue: Callable[..., Venue]
    compile_kernels: Callable[[Sequence[Instrument]], None]
    """Compiles what the venue will need, or loads it from the cache."""
    stage_at: "StageAt"
    """What a rehearsal of the hot path runs through."""

    def make(
        self,
        name: str,
        settings: BaseModel,
        clock: Clock,
        rng: "Generator",
        first_instrument: int = 0,
    ) -> Venue:
        """A venue that is not connected yet; its instruments are numbered from first_instrument."""
        return self.venue(name, settings, clock, rng, first_instrument=first_instrument)


def adapter_names() -> tuple[str, ...]:
    """Every adapter that a configuration may name."""
    return tuple(sorted(_ADAPTERS))


def own_orders(
    name: str, venue: str, fields: Mapping[str, object], clock: Clock, **named: Any
) -> OwnOrders:
    """Our orders at a venue by this adapter, for the guardian; `named` has environment and weight_per_minute.

    Raises:
        ConfigError: there is no such adapter, or the venue's key cannot be used.
        pydantic.ValidationError: the venue's settings are not what the adapter expects.
    """
    _classes_of(name)
    made: OwnOrders = import_module(f"adapters.{name}.own_orders").own_orders(
        venue, fields, clock=clock, **named
    )
    return made


def adapter(name: str) -> Adapter:
    """The adapter called `name`. Raises: ConfigError if there is none."""
    classes = _classes_of(name)
    module: Any = import_module(f"adapters.{name}.venue")
    return Adapter(
        settings_of(name), getattr(module, classes[1]), module.compile_kernels, module.stage_at
    )


def settings_of(name: str) -> type[BaseModel]:
    """The settings of the adapter called `name`, without the venue. Raises: ConfigError if there is none."""
    classes = _classes_of(name)
    found: type[BaseModel] = getattr(import_module(f"adapters.{name}.settings"), classes[0])
    return found


def _classes_of(name: str) -> tuple[str, str]:
    classes = _ADAPTERS.get(name)
    if classes is None:
        raise ConfigError(f"adapter: expected one of {', '.join(adapter_names())}, found {name!r}")
    return classes
