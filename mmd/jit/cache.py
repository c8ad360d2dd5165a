"""Where compiled kernels are kept, and when a kept one is stale.

Numba's own locators miss edits in the functions a kernel calls and depend on the install path. This one
stamps each kernel with a digest of its module and of every module of ours that it imports, so an edit
recompiles what it touches and nothing else. The folder is NUMBA_CACHE_DIR, or the user's cache folder.
"""

import ast
import functools
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from numba import config
from numba.core.caching import UserProvidedCacheLocator

_ROOT = Path(__file__).parents[2]
_OURS = ("mmd", "adapters", "models")
VERSIONS_MAX = 8
"""Of a module's kernels, kept side by side."""


def _imports(path: Path) -> list[Path]:
    """Files of ours that the module at path imports by name."""
    found = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in _OURS:
            stem = _ROOT.joinpath(*node.module.split("."))
            names = [stem.with_suffix(".py")] + [stem / f"{a.name}.py" for a in node.names]
            found += [p for p in names if p.is_file()]
    return found


@functools.cache
def source_digest(path: Path) -> str:
    """SHA-256 over a module's source and the sources of all modules of ours that it reaches."""
    seen: set[Path] = set()
    queue = [path]
    while queue:
        at = queue.pop()
        if at not in seen:
            seen.add(at)
            queue += _imports(at)
    digest = hashlib.sha256()
    for p in sorted(seen):
        digest.update(str(p.relative_to(_ROOT)).encode() + b"\0" + p.read_bytes())
    return digest.hexdigest()


def _forget_old(folder: Path) -> None:
    """Keep the newest few versions of a module's kernels; somebody else may be doing the same."""
    by_age = sorted(folder.iterdir(), key=lambda p: p.stat().st_mtime if p.exists() else 0.0)
    for old in by_age[:-VERSIONS_MAX]:
        shutil.rmtree(old, ignore_errors=True)


class SourceClosureCache(UserProvidedCacheLocator):  # type: ignore[misc]
    """Cache locator keyed by module name and source digest; works from a read-only folder."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        super().__init__(py_func, py_file)
        self._path = Path(py_file).resolve()
        rel = self._path.relative_to(_ROOT).with_suffix("")
        stamp = source_digest(self._path)[:16]
        self._cache_path = os.path.join(config.CACHE_DIR, *rel.parts, stamp)  # noqa: PTH118 - numba wants str

    def ensure_cache_path(self) -> None:
        """Create the folder; an existing read-only one is fine."""
        folder = Path(self._cache_path)
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _forget_old(folder.parent)

    def get_source_stamp(self) -> str:
        """What a cached kernel must have been built from to be used."""
        return source_digest(self._path)


def _writable_folder() -> str:
    """XDG cache folder, or a per-user temporary one where the home is read-only or absent."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    folder = Path(home) / "mmd" / "kernels"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"mmd-kernels-{os.getuid()}"
    return str(folder)


def install() -> None:
    """Tell numba to use this cache; called once, by mmd.jit.kernel, before any kernel is declared."""
    if not config.CACHE_DIR:
        config.CACHE_DIR = _writable_folder()
    config.CACHE_LOCATOR_CLASSES = "mmd.jit.cache.SourceClosureCache"
