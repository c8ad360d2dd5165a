"""When a kept kernel is stale: its own source, or any of ours that it reaches."""

import json
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


def test_how_kernels_are_kept_is_no_part_of_them(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit of this cache compiles nothing anew."""
    before = digest(tree / "mmd/top.py")
    monkeypatch.setattr(cache, "_THIS", tree / "mmd/bottom.py")
    without = digest(tree / "mmd/top.py")
    with (tree / "mmd/bottom.py").open("a") as file:
        file.write("# edited\n")
    assert digest(tree / "mmd/top.py") == without != before


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


_COMPILE_ONE = """
from numba.core import event
from mmd.shell import log
from mmd.shell.warmup import CompileProgress
import mmd.core.market.trade_flow as t
from mmd.core.market.record import MARKET
from mmd.jit.kernel import bind, new
log.configure("info", "json")
p = CompileProgress()
with event.install_listener("numba:compile", p):
    run = bind(t.on_trade, new(t.TRADE_FLOW), new(MARKET))
run(new(t.TRADE_FLOW), new(MARKET))
print(p.compiled)
"""


def start(folder: Path, before: str = "") -> tuple[int, list[dict[str, str]]]:
    """A process that compiles and calls a kernel: how many it compiled, and its log."""
    done = subprocess.run(
        [sys.executable, "-c", before + _COMPILE_ONE],
        env=os.environ | {"NUMBA_CACHE_DIR": str(folder), "NUMBA_DISABLE_JIT": "0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return int(done.stdout), [json.loads(x) for x in done.stderr.splitlines() if x[0] == "{"]


def test_a_second_process_finds_what_the_first_compiled(tmp_path: Path) -> None:
    """Also with the folder read only to it; a damaged file is compiled again, and mended."""
    counts = [start(tmp_path)[0]]
    for path in tmp_path.rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    counts.append(start(tmp_path)[0])
    for path in tmp_path.rglob("*"):
        path.chmod(0o755)
    assert counts == [1, 0]
    for path in tmp_path.rglob("*.nbc"):
        path.write_bytes(path.read_bytes()[:100])
    again, log = start(tmp_path)
    assert again == 1
    assert "cannot be used (damaged file)" in log[0]["message"]
    assert start(tmp_path) == (0, [])


_NO_ROOM = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
"""Every write beyond some bytes fails as on a full disk."""


@pytest.mark.parametrize(("before", "why"), [("", "Not a directory"), (_NO_ROOM, "File too large")])
def test_what_cannot_be_kept_is_used_all_the_same(before: str, why: str, tmp_path: Path) -> None:
    """A folder that cannot be made, a disk that is full: one warning, in the log, and the kernel works."""
    folder = tmp_path / "kernels"
    if not before:
        folder.write_text("a file stands in the way")
    for _ in range(2):
        compiled, log = start(folder, before)
        assert compiled == 1
        (record,) = log
        assert (record["event"], record["level"]) == ("python_warning", "warning")
        assert f"in {folder} cannot be used ({why})" in record["message"]
        assert "NUMBA_CACHE_DIR" in record["message"]
    assert list(folder.rglob("*.nbc")) == []
