"""An artefact is named by its content, and any change of it is found."""

from pathlib import Path

import msgspec
import numpy as np
import pytest

from mmd.errors import ArtefactError
from models.artefact import GOLDEN, MANIFEST, WEIGHTS, read_artefact, read_manifest
from models.checks import check_golden
from tests.trained_models import forest_artefact, network_artefact


@pytest.mark.parametrize("make", [network_artefact, forest_artefact])
def test_what_is_written_is_read(make, tmp_path: Path) -> None:
    """Weights to the bit, golden outputs as they were, and the same content under the same name."""
    made = make(tmp_path)
    again = make(tmp_path)
    assert made.path == again.path
    assert made.path.name == made.manifest.id
    assert made.path.name.startswith(made.manifest.kind)
    assert sorted(made.manifest.files) == sorted(
        p.name for p in made.path.iterdir() if p.name != MANIFEST
    )
    assert [p.name for p in tmp_path.iterdir()] == [made.path.name]
    check_golden(made)


@pytest.mark.parametrize("name", [WEIGHTS, GOLDEN, "network.pt"])
@pytest.mark.parametrize(
    "damage", [lambda p: p.unlink(), lambda p: p.write_bytes(b"x")], ids=["missing", "changed"]
)
def test_a_changed_or_missing_file_is_found(name: str, damage, tmp_path: Path) -> None:
    """The message names the file."""
    path = network_artefact(tmp_path).path
    damage(path / name)
    with pytest.raises(ArtefactError, match=f"{name}: expected SHA-256"):
        read_artefact(path)


def test_a_changed_manifest_is_found(tmp_path: Path) -> None:
    """Even if it is a valid one."""
    path = network_artefact(tmp_path).path
    raw = msgspec.json.decode((path / MANIFEST).read_bytes())
    raw["metrics"]["r2"] = 0.99
    (path / MANIFEST).write_bytes(msgspec.json.encode(raw))
    with pytest.raises(ArtefactError, match="not the folder's name"):
        read_artefact(path)
    (path / MANIFEST).write_bytes(b"{")
    with pytest.raises(ArtefactError, match="is damaged"):
        read_manifest(path)
    with pytest.raises(ArtefactError, match="expected a model's folder"):
        read_manifest(tmp_path / "none")


def test_other_inputs_and_formats_are_refused(tmp_path: Path) -> None:
    """A model of another schema cannot be served."""
    path = tmp_path / "other"
    with pytest.raises(ArtefactError, match="trained on inputs 0123456789abcdef"):
        network_artefact(path, schema="0123456789abcdef")
    with pytest.raises(ArtefactError, match="format 9, expected 1"):
        network_artefact(path, format=9)


def test_a_model_that_computes_something_else_is_refused(tmp_path: Path) -> None:
    """Weights that do not give the golden outputs, within 1e-5 for networks and exactly for trees."""
    network = network_artefact(tmp_path)
    network.weights["bo"] += np.float32(1e-3)
    with pytest.raises(ArtefactError, match=r"golden outputs differ by 0\.001"):
        check_golden(network)
    network.weights["bo"][0] = np.nan
    with pytest.raises(ArtefactError, match="not finite"):
        check_golden(network)
    trees = forest_artefact(tmp_path)
    trees.weights["node"]["threshold"][1] += 1e-12
    with pytest.raises(ArtefactError, match="golden outputs differ"):
        check_golden(trees)
    del trees.weights["root"]
    with pytest.raises(ArtefactError, match="is not complete: 'root'"):
        check_golden(trees)


def test_nothing_is_unpickled(tmp_path: Path) -> None:
    """An archive of objects is refused, not loaded."""
    made = network_artefact(tmp_path)
    evil = tmp_path / "evil.npz"
    np.savez(evil, a=np.array([object()], dtype=object))
    from models.artefact import _load

    with pytest.raises(ArtefactError, match="cannot be read"):
        _load(evil)
    assert set(_load(made.path / WEIGHTS)) == set(made.weights)
