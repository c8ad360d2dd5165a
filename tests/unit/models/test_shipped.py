"""The models that come with mmd are whole, small, and compute here what they did where they were made."""

import subprocess
import sys

from models.registry import Registry
from models.serving import SHIPPED
from tests.bench.suite import MEMORY_MIB_MAX
from tests.daemon import EMBEDDED


def test_shipped_champions_verify() -> None:
    """Files, schema and golden outputs; and each says by which command it can be made again."""
    registry = Registry(SHIPPED)
    assert registry.ids()
    for model_id in registry.ids():
        manifest = registry.load(model_id).manifest
        assert manifest.command.startswith("mmd train ")
        assert registry.pointers(manifest.kind).champion != ""


def test_the_price_predictor_is_of_the_embedded_exchange() -> None:
    """Its default instrument, on its clock, and worth something by its own account."""
    champion = Registry(SHIPPED).champion("price_lstm")
    assert champion is not None
    manifest = champion.manifest
    assert (manifest.symbol, manifest.bar_ns) == ("MMDUSDT", 100_000_000)
    assert all(manifest.metrics[f"r2_low_{h}"] > 0.0 for h in manifest.horizons)


def test_they_are_small() -> None:
    """Less than 5 MB in all."""
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) < 5_000_000


def test_the_engine_with_all_models_needs_no_torch_and_little_memory() -> None:
    """A process that has loaded what the default run quotes with: below 350 MiB, torch and LightGBM not imported."""
    script = (
        "import sys; from pathlib import Path; from mmd.app import compile_kernels; from mmd.config import load;"
        "import mmd.daemon; compile_kernels(load(Path(sys.argv[1])));"
        "rows = Path('/proc/self/status').read_text().splitlines();"
        "print(next(r for r in rows if r.startswith('VmRSS:')).split()[1], 'torch' in sys.modules, 'lightgbm' in sys.modules)"
    )
    command = [sys.executable, "-c", script, str(EMBEDDED)]
    for _ in range(2):  # the first may have to compile, which takes memory of its own
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    kib, *imported = done.stdout.split()
    assert imported == ["False", "False"]
    assert int(kib) / 1024 < MEMORY_MIB_MAX
