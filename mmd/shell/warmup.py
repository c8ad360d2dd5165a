"""Shows what the compiler does on a first start, and times it apart from the daemon's own start."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from numba.core import event


class CompileProgress(event.Listener):  # type: ignore[misc]
    """Counts kernel compilations and shows the one under way."""

    def __init__(self) -> None:
        self.compiled = 0
        self.seconds = 0.0
        self._depth = 0
        self._started_at = 0.0
        self._is_terminal = sys.stderr.isatty()

    def on_start(self, item: event.Event) -> None:
        """A compilation begins; nested ones belong to it."""
        self._depth += 1
        if self._depth == 1:
            self._started_at = time.perf_counter()
            if self.compiled == 0:
                print("compiling kernels, once per machine and version ...", file=sys.stderr)  # noqa: T201
            if self._is_terminal:
                name = item.data["dispatcher"].py_func.__qualname__
                print(f"\r\x1b[K  {self.compiled + 1}: {name}", end="", file=sys.stderr, flush=True)  # noqa: T201

    def on_end(self, _: event.Event) -> None:
        """A compilation ended."""
        self._depth -= 1
        if self._depth == 0:
            self.compiled += 1
            self.seconds += time.perf_counter() - self._started_at


@contextmanager
def compile_progress() -> Iterator[CompileProgress]:
    """Report kernel compilations inside the block; silent where all come from the cache."""
    progress = CompileProgress()
    with event.install_listener("numba:compile", progress):
        yield progress
    if progress.compiled:
        start = "\r\x1b[K" if sys.stderr.isatty() else ""
        kernels = "kernel" if progress.compiled == 1 else "kernels"
        done = f"compiled {progress.compiled} {kernels} in {progress.seconds:.1f} s"
        print(start + done, file=sys.stderr)  # noqa: T201
