"""Real recorded market data for tests: beside the checkout, never inside it."""

import os
from pathlib import Path

import pytest

_FOLDER = Path(os.environ.get("MMD_RECORDINGS", Path(__file__).parents[2] / "shared" / "data"))


def recording(name: str) -> Path:
    """Path of a recording, e.g. "binance-raw/spot-btcusdt-20240808.gz"; skips the test where it is absent."""
    path = _FOLDER / name
    if not path.exists():
        pytest.skip(f"recording {name} is not at {_FOLDER} (set MMD_RECORDINGS to its folder)")
    return path
