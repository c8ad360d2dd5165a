"""cryptofeed against the embedded exchange."""

from tests.clients.client_process import converse


async def test_cryptofeed_keeps_the_book() -> None:
    """Books equal ours before a gap and after it; the gap is noticed, and nothing else."""
    seen = await converse("cryptofeed_client", "cryptofeed")
    assert seen["heard"] == ["candles", "ticker", "trades"]
    assert seen["early"] == []
    assert len(seen["late"]) == 1
    assert "Missing book update detected" in seen["late"][0]
