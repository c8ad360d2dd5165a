"""Kernels are compiled before the first daemon of these tests starts, so that no test waits for the compiler."""

import fcntl
import os
import tempfile
from pathlib import Path

import pytest

from tests.daemon import EMBEDDED, mmd


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Every kernel is in the cache; of several test workers one compiles and the others wait."""
    lock = Path(tempfile.gettempdir()) / f"mmd-compile-{os.getuid()}.lock"
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = mmd(
            "check",
            "--config",
            EMBEDDED,
            "--kernels",
            cwd=tmp_path_factory.mktemp("compile"),
            timeout_s=300,
        )
    assert done.code == 0, done.err
