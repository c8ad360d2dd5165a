"""Where compiled kernels are kept, and when a kept one is stale.

Numba's own locators miss edits in the functions a kernel calls and depend on the install path. This one
stamps each kernel with a digest of its module and of every module of ours that it imports, so an edit
recompiles what it touches and nothing else. The folder is NUMBA_CACHE_DIR, or the user's cache folder; where it
cannot be written or read, kernels are compiled and used all the same, and a warning says so.
"""

import ast
import functools
import hashlib
import os
import pickle
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any, ClassVar

from numba import config
from numba.core import dispatcher
from numba.core.caching import FunctionCache, UserProvidedCacheLocator

_ROOT = Path(__file__).parents[2]
_OURS = ("mmd", "adapters", "models")
_THIS = Path(__file__).resolve()
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
    """SHA-256 over a module's source and the sources of all modules of ours that it reaches.

    This one is left out: where a kernel is kept does not change what it is.
    """
    seen: set[Path] = set()
    queue = [path]
    while queue:
        at = queue.pop()
        if at not in seen and at != _THIS:
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

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "SourceClosureCache":
        """Always: the folder is made when there is something to keep, and not at all where none can be made."""
        return cls(py_func, py_file)

    def ensure_cache_path(self) -> None:
        """Create the folder; an existing read-only one is fine."""
        folder = Path(self._cache_path)
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            _forget_old(folder.parent)

    def get_source_stamp(self) -> str:
        """What a cached kernel must have been built from to be used."""
        return source_digest(self._path)


class ForgivingCache(FunctionCache):  # type: ignore[misc]
    """A kernel's cache that is never a reason to end: what cannot be kept or read back is compiled by each process."""

    _told: ClassVar[set[str]] = set()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The kept kernel; None where there is none, or none that can be read."""
        try:
            return super().load_overload(sig, target_context)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._warn(error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a kernel that was compiled and is in use already."""
        try:
            super().save_overload(sig, data)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._warn(error)

    def _warn(self, error: Exception) -> None:
        """Once for a process and a cause, where the interpreter's own count begins anew with each compilation."""
        why = (isinstance(error, OSError) and error.strerror) or "damaged file"
        if why not in self._told:
            self._told.add(why)
            warnings.warn(
                f"the cache of compiled kernels in {config.CACHE_DIR} cannot be used ({why}): what it lacks is compiled at "
                "each start; make room there, or set NUMBA_CACHE_DIR to a folder that can be written",
                RuntimeWarning,
                stacklevel=1,
            )


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
    dispatcher.FunctionCache = ForgivingCache  # type: ignore[attr-defined]
