"""When a kept kernel is stale: its own source, or any of ours that it reaches."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmd.jit import cache

SOURCES = {
    "mmd/__init__.py": "",
    "mmd/top.py": "from mmd.middle import step\nimport numpy\n",
    "mmd/middle.py": "from mmd import bottom\nfrom mmd.top import thing\n",
    "mmd/bottom.py": "x = 1\n",
    "mmd/aside.py": "y = 1\n",
}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of four modules: top → middle → bottom, and one aside; middle and top import each other."""
    for name, text in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(cache, "_ROOT", tmp_path)
    return tmp_path


def digest(path: Path) -> str:
    cache.source_digest.cache_clear()
    return cache.source_digest(path)


@pytest.mark.parametrize(
    ("edited", "matters"), [("top", True), ("middle", True), ("bottom", True), ("aside", False)]
)
def test_an_edit_matters_to_what_reaches_it(edited: str, matters: bool, tree: Path) -> None:
    """Directly or through others, in circles too."""
    top = tree / "mmd/top.py"
    before = digest(top)
    assert digest(top) == before
    with (tree / f"mmd/{edited}.py").open("a") as file:
        file.write("# edited\n")
    assert (digest(top) != before) is matters


def test_the_place_of_the_project_does_not_matter(
    tree: Path, tmp_path_factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image's cache is valid elsewhere."""
    before = digest(tree / "mmd/top.py")
    other = tmp_path_factory.mktemp("other")
    (tree / "mmd").rename(other / "mmd")
    monkeypatch.setattr(cache, "_ROOT", other)
    assert digest(other / "mmd/top.py") == before


def test_versions_lie_side_by_side_and_the_oldest_go(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two checkouts do not throw out each other's kernels; the folder does not grow for ever."""
    monkeypatch.setattr(cache.config, "CACHE_DIR", str(tmp_path / "kernels"))
    folders = []
    for version in range(cache.VERSIONS_MAX + 2):
        (tree / "mmd/bottom.py").write_text(f"x = {version}\n")
        cache.source_digest.cache_clear()
        locator = cache.SourceClosureCache(
            test_an_edit_matters_to_what_reaches_it, str(tree / "mmd/top.py")
        )
        locator.ensure_cache_path()
        folders.append(Path(locator.get_cache_path()))
        os.utime(folders[-1], (version, version))
    assert len(set(folders)) == len(folders)
    kept = sorted(f for f in folders if f.is_dir())
    assert kept == sorted(folders[-cache.VERSIONS_MAX :])


def test_the_folder_is_the_users_cache_or_a_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that cannot be written is no reason not to start."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert cache._writable_folder() == str(tmp_path / "cache/mmd/kernels")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache._writable_folder().endswith(f"mmd-kernels-{os.getuid()}")


def test_a_second_process_finds_what_the_first_compiled(tmp_path: Path) -> None:
    """Also with the folder read only to it."""
    script = (
        "from numba.core import event\n"
        "from mmd.shell.warmup import CompileProgress\n"
        "import mmd.core.market.trade_flow as t\n"
        "from mmd.core.market.record import MARKET\n"
        "from mmd.jit.kernel import bind, new\n"
        "p = CompileProgress()\n"
        "with event.install_listener('numba:compile', p):\n"
        "    bind(t.on_trade, new(t.TRADE_FLOW), new(MARKET))\n"
        "print(p.compiled)\n"
    )
    counts = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        counts.append(int(done.stdout))
        for path in tmp_path.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)
    for path in tmp_path.rglob("*"):
        path.chmod(0o755)
    assert counts == [1, 0]
