"""Adapters by name."""

import subprocess
import sys

import pytest

from adapters.binance_spot.settings import BinanceSpotSettings
from adapters.binance_spot.venue import BinanceSpotVenue
from adapters.registry import adapter, adapter_names
from mmd.errors import ConfigError
from mmd.shell.clock import SystemClock


def test_every_listed_adapter_can_be_had():
    """Each name leads to settings, a venue and its kernels."""
    for name in adapter_names():
        found = adapter(name)
        assert callable(found.compile_kernels)
    found = adapter("binance_spot")
    assert found.settings is BinanceSpotSettings
    settings = BinanceSpotSettings(instruments=("X",), observe=True)
    venue = found.make("main", settings, SystemClock(), None)
    assert isinstance(venue, BinanceSpotVenue)
    assert venue.name == "main"


def test_unknown_name_lists_the_known_ones():
    """The error says what may be written."""
    with pytest.raises(ConfigError, match="expected one of binance_spot, found 'mtgox'"):
        adapter("mtgox")


def test_adapters_are_imported_only_when_asked_for():
    """Importing the registry imports no adapter."""
    code = "import sys, adapters.registry; print([m for m in sys.modules if 'binance' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
