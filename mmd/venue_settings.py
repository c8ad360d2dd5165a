"""The settings of every venue as its adapter checks them, without the adapter's venue and the compiler that it loads."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from adapters.registry import settings_of
from mmd.config import Settings
from mmd.config_errors import explain
from mmd.errors import ConfigError
from mmd.venue_fields import venue_fields


def venue_settings(settings: Settings, addresses: Sequence[str]) -> dict[str, BaseModel]:
    """By name, in the order of the settings. Raises: ConfigError."""
    found = {}
    for number, (name, section) in enumerate(settings.venues.items()):
        try:
            kind = settings_of(section.adapter)
        except ConfigError as error:
            raise ConfigError(f"venues.{name}.{error}") from None
        fields = venue_fields(settings, number, addresses)
        try:
            found[name] = kind.model_validate(fields, context={"environment": settings.environment})
        except ValidationError as error:
            raise ConfigError(explain(error, f"venues.{name}")) from error
    return found
