"""The parts of `mmd check`: each looks at one thing that `mmd run` needs and says what to do where it is amiss."""

import asyncio
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from mmd import config
from mmd.errors import ArtefactError, ConfigError, VenueUnreachableError

Part = Callable[[config.Settings], str]
_SPACE_MARGIN = 4
"""Segments that should fit on the disk."""
_SECRET_WORDS = ("api_secret", "api_private_key", "token")


def parts(file: Path) -> dict[str, Part]:
    """By name, in the order in which they are tried."""
    return {
        "adapter": _adapter,
        "secrets": lambda settings: _secrets(settings, file),
        "journal": _journal,
        "ports": _ports,
        "models": _models,
        "kernels": compile_all,
        "venue": lambda settings: asyncio.run(_venue(settings)),
    }


def _adapter(settings: config.Settings) -> str:
    """Whether the venue's own settings are what its adapter expects."""
    from mmd.app import check as check_adapter  # noqa: PLC0415

    check_adapter(settings)
    return ", ".join(f"{name}: {section.adapter}" for name, section in settings.venues.items())


def _secrets(settings: config.Settings, file: Path) -> str:
    """Whether what is secret is nobody else's to read; the embedded exchange's keys are worthless."""
    if settings.environment == "embedded":
        return "embedded exchange: none that are worth anything"
    held = [word for word in _SECRET_WORDS if f"{word} =" in file.read_text()]
    if held and file.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        raise ConfigError(
            f"{file} holds {', '.join(held)} and others may read it; chmod 600 {file}, or move them to "
            f"{config.SECRETS_FOLDER} or the environment"
        )
    return "not readable by others"


def _journal(settings: config.Settings) -> str:
    """Whether the journal's folder can be written and has room."""
    folder = settings.journal.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise ConfigError(
            f"journal.folder = {folder}: cannot write there ({error.strerror})"
        ) from error
    free = shutil.disk_usage(folder).free
    wanted = _SPACE_MARGIN * settings.journal.segment_mib << 20
    if free < wanted:
        raise ConfigError(
            f"journal.folder = {folder}: {free >> 20} MiB free, expected at least {wanted >> 20}"
        )
    return f"{folder} writable, {free >> 30} GiB free"


def _ports(settings: config.Settings) -> str:
    """Whether what the daemon listens on is free."""
    wanted = {"http.port": (settings.http.host, settings.http.port)}
    if settings.starts_exchange:
        host, first = settings.embedded.host, settings.embedded.port
        for number in range(len(settings.venues)):
            wanted[f"embedded.port + {number}"] = (host, first + number if first else 0)
    for name, (host, port) in wanted.items():
        try:
            socket.create_server((host, port)).close()
        except OSError as error:
            raise ConfigError(
                f"{name.removesuffix(' + 0')}: {host}:{port} cannot be listened on ({error.strerror}); is a daemon "
                "running? `mmd status` tells; else set another port (0 takes a free one)"
            ) from error
    return ", ".join(f"{host}:{port or 'any'}" for host, port in wanted.values()) + " free"


def _models(settings: config.Settings) -> str:
    """Whether the models that trade are whole."""
    if not settings.models.spec(settings.quoting).enabled:
        return "none wanted"
    from models.serving import registry_at, wanted_kinds  # noqa: PLC0415

    spec = settings.models.spec(settings.quoting)
    registry = registry_at(spec.folder)
    found = []
    for kind in wanted_kinds(spec):
        try:
            model = registry.champion(kind)
        except ArtefactError as error:
            raise ArtefactError(
                f"models.folder = {spec.folder}: {error}; `mmd models rollback {kind}` brings the one before back, "
                "`mmd models promote` another"
            ) from error
        found.append(f"{kind}: " + ("none, quotes do without" if model is None else "whole"))
    return ", ".join(found)


def compile_all(settings: config.Settings) -> str:
    """Compile every kernel, or load it from the cache."""
    from mmd.app import compile_kernels  # noqa: PLC0415 - numba loads only for this

    compiled = compile_kernels(settings)
    return (
        f"{compiled.compiled} kernels compiled in {compiled.seconds:.1f} s, the rest from the cache"
    )


async def _venue(settings: config.Settings) -> str:
    """Reach the venue, compare clocks, try the keys."""
    from mmd.app import make_venue  # noqa: PLC0415
    from mmd.shell.clock import SystemClock  # noqa: PLC0415
    from mmd.venue_fields import embedded_addresses  # noqa: PLC0415

    if settings.starts_exchange:
        return "embedded exchange, started by mmd run"
    venue = make_venue(settings, embedded_addresses(settings), SystemClock())
    try:
        instruments = await venue.load()
    except VenueUnreachableError as error:
        raise VenueUnreachableError(
            f"{error}; is the network up, and is rest_url right?"
        ) from error
    finally:
        await venue.close()
    return f"{venue.name} reached, clock and keys accepted: " + ", ".join(
        i.symbol for i in instruments
    )
