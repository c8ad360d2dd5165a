"""The models that come with mmd are whole, small, and compute here what they did where they were made."""

from models.registry import Registry
from models.serving import SHIPPED


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
