"""Presets by name, made up or measured, and from files that `mmd calibrate` wrote."""

from functools import cache
from importlib import resources
from pathlib import Path

import msgspec

from mmd.errors import ConfigError
from mmd.exchange.presets import SYNTHETIC, FlowPreset
from mmd.exchange.stress_presets import STRESS

_SUFFIX = ".json"
_MADE_UP = SYNTHETIC | STRESS


def preset_names() -> tuple[str, ...]:
    """Names of the presets that are shipped: made-up ones, stress ones, measured ones."""
    return (*_MADE_UP, *_shipped())


def find_preset(name: str) -> FlowPreset:
    """The preset of a name, or of a file whose name ends in .json.

    Raises: ConfigError if there is none, or the file is not a preset.
    """
    if name in _MADE_UP:
        return _MADE_UP[name]
    text = _shipped().get(name)
    if text is not None:
        return _decoded(text, name)
    if name.endswith(_SUFFIX):
        return read_preset(Path(name))
    raise ConfigError(
        f"expected one of {', '.join(preset_names())} or a {_SUFFIX} file of mmd calibrate, found '{name}'"
    )


def read_preset(path: Path) -> FlowPreset:
    """Read a preset's file. Raises: ConfigError if it is absent or something else."""
    try:
        return _decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); make a preset with mmd calibrate"
        ) from error


def write_preset(preset: FlowPreset, path: Path) -> None:
    """Write a preset so that people can read it. Raises: ConfigError if the file cannot be written."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(preset), indent=1) + b"\n")
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be written ({error.strerror}); name another file"
        ) from error


@cache
def _shipped() -> dict[str, bytes]:
    """Contents of the measured presets beside this file, by name."""
    folder = resources.files(__package__) / "presets"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(_SUFFIX)), key=lambda f: f.name)
    return {f.name.removesuffix(_SUFFIX): f.read_bytes() for f in files}


def _decoded(text: bytes, where: str) -> FlowPreset:
    try:
        return msgspec.json.decode(text, type=FlowPreset)
    except msgspec.DecodeError as error:
        raise ConfigError(
            f"{where}: expected a preset, found {error}; make one with mmd calibrate"
        ) from error
