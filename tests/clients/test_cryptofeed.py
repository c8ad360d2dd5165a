"""cryptofeed against the embedded exchange."""

from pathlib import Path

from tests.clients.client_process import converse, self_signed


async def test_cryptofeed_keeps_the_book(tmp_path: Path) -> None:
    """Over TLS, as it takes nothing else: books equal ours before and after a gap, which is all it logs."""
    seen = await converse("cryptofeed_client", "cryptofeed", certificate=self_signed(tmp_path))
    assert seen["heard"] == ["candles", "ticker", "trades"]
    assert seen["early"] == []
    assert len(seen["late"]) == 1
    assert "Missing book update detected" in seen["late"][0]
