"""Reads the settings anew while the daemon runs: what is safe takes effect at once, the rest is refused with the reason."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import structlog

from mmd.config import Settings
from mmd.core.scaling import NO_SCALE, risk_limits
from mmd.core.settings_change import CHANGEABLE, changes
from mmd.shell.driver import Driver

_HIDDEN = "***"
_log = structlog.get_logger()


class Reloaded(msgspec.Struct, frozen=True):
    """What became of the differences."""

    changed: list[str]
    """E.g. risk.loss_max: 50 → 80; in effect and journalled."""
    refused: list[str]
    """As they stand until the next start."""


class SettingsReload:
    """Remembers what is in effect, and brings it to what the sources say."""

    def __init__(self, settings: Settings, load: Callable[[], Settings], driver: Driver) -> None:
        """`load` reads the sources that `settings` came from."""
        self._settings = settings
        self._load = load
        self._driver = driver

    def reload(self, who: str) -> Reloaded:
        """Read the sources anew and pass on what may change. Raises: ConfigError; nothing has changed then."""
        after, spec = self._load(), self._driver.engine.spec
        wanted = msgspec.structs.replace(spec, quoting=after.quoting.spec(), risk=after.risk.spec())
        risk_limits(wanted.risk, NO_SCALE)  # refuses limits that contradict each other
        told = changes(spec, wanted)
        if told:
            self._driver.change_settings(told, who)
        before = dict(_flat(self._settings.model_dump()))
        now = dict(_flat(after.model_dump()))
        result = Reloaded([], [])
        in_effect = {setting_of(key) for key, _ in told}
        for key in sorted(before.keys() | now.keys()):
            was, value = before.get(key), now.get(key)
            if was != value and key in in_effect:
                result.changed.append(f"{key}: {_shown(key, was)} → {_shown(key, value)}")
            elif was != value:
                result.refused.append(
                    f"{key}: {_shown(key, was)} stays: needs a new start of mmd run"
                )
        self._settings = _merged(self._settings, after)
        _log.warning("settings_reloaded", who=who, changed=result.changed, refused=result.refused)
        return result


def setting_of(field: str) -> str:
    """The name that a user knows a field of the spec by: quoting.refresh_delay_ns is quoting.refresh_delay_ms."""
    return f"{field.removesuffix('_ns')}_ms" if field.endswith("_ns") else field


def changeable() -> frozenset[str]:
    """Every setting that may change while the daemon runs."""
    return frozenset(
        setting_of(f"{section}.{name}") for section, names in CHANGEABLE.items() for name in names
    )


def _merged(before: Settings, after: Settings) -> Settings:
    """What is in effect now: changeable settings of the new ones, all others of the old."""
    sections = {}
    for section in CHANGEABLE:
        old, new = getattr(before, section), getattr(after, section)
        taken = {
            k: getattr(new, k) for k in type(new).model_fields if f"{section}.{k}" in changeable()
        }
        sections[section] = old.model_copy(update=taken)
    return before.model_copy(update=sections)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _shown(key: str, value: object) -> str:
    """Nothing secret is said."""
    return _HIDDEN if any(word in key for word in ("secret", "token", "key")) else str(value)
