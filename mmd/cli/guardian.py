"""`mmd guardian`: what takes a dead daemon's orders back, on this host or on another."""

import os
import sys
from pathlib import Path
from typing import Never

import msgspec

from mmd.cli.options import ConfigFile, Overrides, parse_overrides
from mmd.config import Settings, load
from mmd.errors import ConfigError
from mmd.guardian_process import GuardedVenue, GuardianOptions
from mmd.ops.shared_files import GUARDIAN_FILE
from mmd.venue_fields import venue_fields

EXAMPLES = "Example: mmd guardian --config mmd.toml"


def guardian(config_file: ConfigFile = None, overrides: Overrides = None) -> None:
    """Take our orders back at every venue when the daemon no longer renews its lease.

    `mmd run` starts one of its own. This one stands alone, best on another host: it listens at guardian.listen, and
    daemons name it in guardian.address. Both need the same guardian.token. Exit code 9: orders may be left.
    """
    if config_file is None:
        raise ConfigError(
            "no settings: pass --config FILE, that of the daemon that is to be guarded"
        )
    settings = load(config_file, parse_overrides(overrides))
    if not settings.guardian.listen:
        raise ConfigError("guardian.listen: expected host:port where daemons reach this guardian")
    become_guardian(settings)


def become_guardian(
    settings: Settings, shared: Path | None = None, *, armed: bool = False
) -> Never:
    """Turn this process into a guardian: a fresh interpreter, without the compiler that settings load.

    `shared` is the folder of `mmd run`, whose child this is; None: it stands alone.
    """
    options = _options(settings, shared, armed=armed)
    read_end, write_end = os.pipe()
    os.set_inheritable(read_end, True)
    os.write(write_end, msgspec.json.encode(options, enc_hook=str))
    os.close(write_end)
    words = [sys.executable, "-m", "mmd.guardian_process", str(read_end)]
    os.execv(sys.executable, words)  # noqa: S606 - our own interpreter


def _options(settings: Settings, shared: Path | None, *, armed: bool) -> GuardianOptions:
    section = settings.guardian
    venues = []
    for number, (name, venue) in enumerate(settings.venues.items()):
        fields = venue_fields(settings, number, ())
        if settings.starts_exchange:  # where it listens is told by who has started it
            fields = {"instruments": venue.instruments} | (venue.model_extra or {})
        for key, secret in section.venues.get(name, {}).items():
            fields[key] = secret.get_secret_value()
        venues.append(GuardedVenue(name=name, adapter=venue.adapter, fields=fields))
    return GuardianOptions(
        environment=settings.environment,
        lease_s=section.lease_s,
        at=section.listen if shared is None else str(shared / GUARDIAN_FILE),
        is_child=shared is not None,
        armed=armed,
        token=section.token.get_secret_value() if shared is None else "",
        starts_exchange=settings.starts_exchange,
        weight_per_minute=section.weight_per_minute,
        metrics_port=section.metrics_port if shared is None else 0,
        metrics_host=section.metrics_host,
        log_level=settings.log.level,
        log_format=settings.log.format,
        venues=tuple(venues),
    )
