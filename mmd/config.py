"""The settings tree: what a user may set, its defaults, and errors that name key, value and expectation.

Precedence, lowest first: TOML file, environment (MMD_RISK__LOSS_MAX=50), secrets files (/run/secrets),
command line (--set risk.loss_max=50). Everything is frozen and unknown keys are refused.
"""

import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)
from typing_extensions import override

from mmd.config_adverse import AdverseSection
from mmd.config_construction import ConstructionSection
from mmd.config_crossvenue import ArbitrageSection
from mmd.config_errors import explain
from mmd.config_guardian import GuardianSection
from mmd.config_hedge import HedgeSection
from mmd.config_inventory import InventorySection
from mmd.config_models import ModelsSection
from mmd.config_quoting import QuotingSection
from mmd.config_risk import RiskSection
from mmd.config_section import Section
from mmd.errors import ConfigError

ENV_PREFIX = "MMD_"
SECRETS_FOLDER = Path("/run/secrets")
_NOT_SETTINGS = {"MMD_RECORDINGS", "MMD_DIE_AT"}


class VenueSection(BaseModel):
    """One exchange; keys besides these are checked by the adapter's own settings."""

    model_config = ConfigDict(frozen=True, extra="allow")
    adapter: str = Field(description="adapter package, e.g. binance_spot")
    instruments: tuple[str, ...] = Field(
        default=(), description="symbols to trade; empty: the embedded exchange's own"
    )

    @override
    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        """Leave out what the adapter checks: keys and secrets are among it."""
        return [("adapter", self.adapter), ("instruments", self.instruments)]


class EmbeddedSection(Section):
    """The embedded exchange that `mmd run` starts where environment = embedded."""

    autostart: bool = Field(
        True, description="start it with the daemon; false: expect a running one"
    )
    host: str = Field("127.0.0.1", description="address it binds, loopback by default")
    port: int = Field(9100, ge=0, le=65535, description="its port; 0 takes a free one")
    preset: str = Field("default", description="order-flow preset of the interactive generator")
    lag_ms: float = Field(
        0.0,
        ge=0,
        le=60_000,
        description="with several venues: how much later each one learns of the price than the one before",
    )
    tape: tuple[Path, ...] = Field(
        (), description="recordings of raw Binance frames to serve instead"
    )
    speed: str = Field(
        "1", pattern=r"^(max|\d+(\.\d+)?)$", description="tape speed; not 1: observe only"
    )


class LatencySection(Section):
    """What the daemon does to answer fast."""

    keep_warm_ms: float = Field(
        1.0,
        ge=0,
        le=1000,
        description="pause between rehearsals of the hot path, which keep it in the caches; 0: none",
    )
    spin: bool = Field(
        False,
        description="never sleep between messages: faster, and takes a whole core, which should be the engine's own",
    )

    @model_validator(mode="after")
    def _spins_warm(self) -> "LatencySection":
        if self.spin and self.keep_warm_ms == 0.0:
            raise ValueError("spin needs keep_warm_ms above 0: it spins between rehearsals")
        return self


class PaperSection(Section):
    """The account and the exchange of paper trading: a live feed, orders that never leave the process."""

    balances: dict[str, Decimal] = Field(
        default={"USDT": Decimal(10_000)}, description="what each instrument's account starts with"
    )
    queue: Literal["risk_averse", "power", "log", "front"] = Field(
        "risk_averse", description="how our orders are thought to stand in the queue"
    )
    entry_ms: float = Field(1.0, ge=0, le=10_000, description="from us to the exchange")
    response_ms: float = Field(1.0, ge=0, le=10_000, description="and back")


class JournalSection(Section):
    """Where every event and command is recorded."""

    folder: Path = Field(Path("var/journal"), description="one sub-folder per session")
    segment_mib: int = Field(64, ge=1, le=1024, description="size of a preallocated segment")
    sync_ms: int = Field(50, gt=0, description="longest time until a record is on the disk")
    compress: bool = Field(True, description="compress segments that nobody writes any more")
    keep_days: float | None = Field(
        default=None, gt=0, description="remove sessions that began longer ago; unset: none"
    )
    keep_gib: float | None = Field(
        default=None, gt=0, description="remove the oldest sessions beyond this size; unset: none"
    )

    @property
    def keep_bytes(self) -> int | None:
        """keep_gib in bytes."""
        return None if self.keep_gib is None else round(self.keep_gib * 2**30)


class HttpSection(Section):
    """The daemon's own HTTP server."""

    host: str = Field("127.0.0.1", description="address it binds; loopback unless you mean it")
    port: int = Field(8080, ge=0, le=65535, description="0 takes a free one")
    token: SecretStr = Field(
        SecretStr(""),
        description="bearer token of POST /api/control; empty: control by HTTP is off",
    )


class LogSection(Section):
    """Logging to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="the least that is logged"
    )
    format: Literal["auto", "console", "json"] = Field(
        "auto", description="auto: console on a terminal, else json"
    )


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix=ENV_PREFIX,
        env_nested_delimiter="__",
        allow_inf_nan=False,
    )
    environment: Literal["embedded", "paper", "sandbox", "live"] = Field(
        "embedded",
        description="embedded exchange | a live feed and fills of our own | a venue's sandbox | real orders",
    )
    live_confirmed: bool = Field(False, description="must be true as well where environment = live")
    seed: int = Field(7, ge=0, description="of the embedded exchange's order flow")
    venues: dict[str, VenueSection] = Field(
        min_length=1, description="exchanges by a name of your choice"
    )
    embedded: EmbeddedSection = EmbeddedSection()
    paper: PaperSection = PaperSection()
    quoting: QuotingSection = QuotingSection()
    construction: ConstructionSection = ConstructionSection()
    adverse_selection: AdverseSection = AdverseSection()
    risk: RiskSection = RiskSection()
    arbitrage: ArbitrageSection = ArbitrageSection()
    inventory: InventorySection = InventorySection()
    hedge: HedgeSection = HedgeSection()
    models: ModelsSection = ModelsSection()
    guardian: GuardianSection = GuardianSection()
    latency: LatencySection = LatencySection()
    journal: JournalSection = JournalSection()
    http: HttpSection = HttpSection()
    log: LogSection = LogSection()

    _file: ClassVar[Path | None] = None

    @property
    def starts_exchange(self) -> bool:
        """Whether an embedded exchange is to be started with the daemon."""
        return self.environment == "embedded" and self.embedded.autostart

    @property
    def is_guarded(self) -> bool:
        """Whether orders of this process are to outlive it nowhere: there are none on paper."""
        return self.guardian.enabled and self.quoting.enabled and self.environment != "paper"

    @model_validator(mode="after")
    def _live_is_meant(self) -> "Settings":
        if self.environment == "live" and not self.live_confirmed:
            raise ValueError(
                "environment = live sends real orders: set live_confirmed = true as well, or use sandbox"
            )
        return self

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Highest first: command line, secrets, environment, file."""
        toml = TomlConfigSettingsSource(settings_cls, cls._file)
        return init_settings, file_secret_settings, env_settings, toml


def load(file: Path | None, overrides: Mapping[str, object] | None = None) -> Settings:
    """Read settings from all sources.

    Args:
        file: TOML file, or None for defaults and environment only.
        overrides: dotted key -> value as given on the command line.

    Raises:
        ConfigError: One line per problem, each naming key, value and what was expected.
    """
    if file is not None and not file.is_file():
        raise ConfigError(
            f"config file {file} does not exist: expected a TOML file; examples are in deploy/config"
        )
    _refuse_unknown_environment(os.environ)
    secrets = str(SECRETS_FOLDER) if SECRETS_FOLDER.is_dir() else None

    class _Loaded(Settings):
        _file: ClassVar[Path | None] = file

    try:
        return _Loaded(_secrets_dir=secrets, **_nested(overrides or {}))
    except ValidationError as error:
        raise ConfigError(explain(error, known=setting_names(Settings))) from error
    except SettingsError as error:
        raise ConfigError(f"{error}: expected JSON, as lists in the environment are") from error
    except OSError as error:
        raise ConfigError(f"config file {file} cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"config file {file} is not valid TOML: {error}") from error


def setting_names(section: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted names of every setting below a section."""
    names = []
    for key, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += setting_names(kind, f"{prefix}{key}.")
        else:
            names.append(f"{prefix}{key}")
    return names


def _refuse_unknown_environment(environ: Mapping[str, str]) -> None:
    """A mistyped MMD_ variable must not pass unnoticed."""
    for name in environ:
        if name.startswith(ENV_PREFIX) and name not in _NOT_SETTINGS:
            section = name.removeprefix(ENV_PREFIX).split("__")[0].lower()
            if section not in Settings.model_fields:
                known = ", ".join(sorted(Settings.model_fields))
                raise ConfigError(
                    f"environment variable {name}: unknown key {section!r}; expected one of {known}"
                )


def _nested(overrides: Mapping[str, object]) -> dict[str, Any]:
    """{"a.b": v} -> {"a": {"b": v}}."""
    tree: dict[str, Any] = {}
    for key, value in overrides.items():
        *path, last = key.split(".")
        at = tree
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return tree
