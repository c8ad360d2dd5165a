"""A trained model on disk: a folder named by its content, with a manifest that says what it is and how it was made.

    price_lstm-3f0c9a1be27d4410/
        manifest.json   kind, schema, instrument, data, settings, metrics, command, SHA-256 of every file
        weights.npz     what the daemon computes with
        golden.npz      inputs and the outputs that they must give; computed again whenever it is loaded
        ...             the trainer's own form: network.pt (TorchScript) or forest.txt (LightGBM)

Nothing is pickled, so nothing runs by being loaded.
"""

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np

from mmd.core.learned.schema import schema_hash
from mmd.errors import ArtefactError

Kind = Literal["price_lstm", "spread_forest", "q_table"]
Arrays = Mapping[str, np.ndarray[Any, Any]]
MANIFEST: Final = "manifest.json"
WEIGHTS, GOLDEN = "weights.npz", "golden.npz"
FORMAT: Final = 1


class DataUse(msgspec.Struct, frozen=True, kw_only=True):
    """A tape, or a simulated market, that a model was trained on."""

    name: str
    sha256: str
    """Of the file; of the parameters where it was simulated."""
    first_ns: int
    last_ns: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model is, what it wants, and how it came to be."""

    format: int = FORMAT
    kind: Kind
    venue: str
    symbol: str
    """Of the instrument that it was trained on; "*" for a pool."""
    schema: str
    """mmd.core.learned.schema.schema_hash of its inputs."""
    bar_ns: int
    horizons: tuple[int, ...]
    """Bars ahead."""
    created: str
    """ISO 8601, UTC."""
    version: str
    """Of mmd."""
    command: str
    data: tuple[DataUse, ...]
    settings: dict[str, Any]
    metrics: dict[str, float]
    """Out of sample; names end in their unit or are ratios."""
    parent: str = ""
    """Id of the model that it was meant to replace."""
    files: dict[str, str] = {}
    """SHA-256 of every other file of the folder."""

    @property
    def id(self) -> str:
        """Kind and sixteen hexadecimal digits of the manifest's own hash, which covers every file's."""
        digest = hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()
        return f"{self.kind}-{digest[:16]}"


class Artefact(msgspec.Struct, frozen=True):
    """A model that has been read and whose files are whole."""

    path: Path
    manifest: Manifest
    weights: dict[str, np.ndarray[Any, Any]]
    golden: dict[str, np.ndarray[Any, Any]]


def write_artefact(
    folder: Path, manifest: Manifest, weights: Arrays, golden: Arrays, own: Mapping[str, bytes]
) -> Path:
    """Write a model below folder; half a model is never left behind.

    Args:
        folder: where models are kept.
        manifest: complete but for `files`.
        weights: what the daemon computes with.
        golden: inputs and outputs by the names that its kind's check expects.
        own: the trainer's own files, by name.

    Returns:
        The artefact's folder; the same content gives the same one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f".partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        _save(partial / WEIGHTS, weights)
        _save(partial / GOLDEN, golden)
        for name, content in own.items():
            (partial / name).write_bytes(content)
        files = {p.name: _sha256(p) for p in sorted(partial.iterdir())}
        manifest = msgspec.structs.replace(manifest, files=files)
        text = msgspec.json.format(msgspec.json.encode(manifest, order="sorted"), indent=2)
        (partial / MANIFEST).write_bytes(text + b"\n")
        path = folder / manifest.id
        if path.exists():
            return path
        return partial.rename(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def read_manifest(path: Path) -> Manifest:
    """Read what a folder says of itself. Raises: ArtefactError."""
    try:
        manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    except OSError as error:
        raise ArtefactError(
            f"{path}: expected a model's folder with {MANIFEST} ({error.strerror}); see mmd models list"
        ) from error
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ArtefactError(f"{path / MANIFEST} is damaged: {error}; take another copy") from error
    if manifest.format != FORMAT:
        raise ArtefactError(
            f"{path}: format {manifest.format}, expected {FORMAT}: it was made by another version of mmd"
        )
    return manifest


def read_artefact(path: Path) -> Artefact:
    """Read a model, and check that every file is the one that the manifest names.

    Raises:
        ArtefactError: A file is missing, was changed or cannot be read, or the inputs are not ours.
    """
    manifest = read_manifest(path)
    if manifest.id != path.name:
        raise ArtefactError(
            f"{path}: the manifest's content is {manifest.id}, not the folder's name: it was changed; take another copy"
        )
    for name, wanted in manifest.files.items():
        file = path / name
        found = _sha256(file) if file.is_file() else "no file"
        if found != wanted:
            raise ArtefactError(
                f"{file}: expected SHA-256 {wanted[:16]}..., found {found[:16]}: it was changed; take another copy"
            )
    if manifest.schema != schema_hash():
        raise ArtefactError(
            f"{path}: trained on inputs {manifest.schema}, this version of mmd computes {schema_hash()}: train it again"
        )
    return Artefact(path, manifest, _load(path / WEIGHTS), _load(path / GOLDEN))


def _save(path: Path, arrays: Arrays) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays, allow_pickle=False)


def _load(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError) as error:
        raise ArtefactError(f"{path} cannot be read: {error}; take another copy") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
