"""The compiled network gives the same bits in every process."""

import os
import subprocess
import sys
from pathlib import Path

_PRINT_OUTPUTS = """
import numpy as np
from mmd.core.learned.schema import N
from models.checks import network_outputs
from tests.trained_models import network_weights
inputs = np.random.default_rng(0).normal(size=(20, N)).astype(np.float32)
print(network_outputs(network_weights(1, hidden=64), inputs).tobytes().hex())
"""


def outputs(folder: Path) -> str:
    """What a process of its own computes, with its kernels kept in a folder."""
    env = os.environ | {"NUMBA_CACHE_DIR": str(folder), "NUMBA_DISABLE_JIT": "0"}
    command = [sys.executable, "-c", _PRINT_OUTPUTS]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout


def test_who_compiled_it_and_who_found_it_compiled_compute_the_same(tmp_path: Path) -> None:
    """A replay runs in another process than the session did, often than the one that compiled the kernels."""
    compiled, found = outputs(tmp_path), outputs(tmp_path)
    assert any(tmp_path.rglob("*.nbc"))
    assert found == compiled
