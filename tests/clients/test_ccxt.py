"""ccxt and ccxt.pro against the embedded exchange."""

import pytest

from tests.clients.client_process import converse


async def test_ccxt_loads_trades_listens_and_keeps_the_book() -> None:
    """No error but those asked for, each by its name; its book equals ours; a gap trips it."""
    pytest.importorskip(
        "ccxt", reason="ccxt is not installed: run `make lint` once, which installs it"
    )
    seen = await converse("ccxt_client", None)
    assert seen["refused"] == {
        "crossing": "OrderImmediatelyFillable",
        "unknown": "OrderNotFound",
        "poor": "InsufficientFunds",
        "small": "BadRequest",
        "signature": "AuthenticationError",
    }
    assert seen["heard"] == ["canceled", "open"]
    assert seen["gap"] == "ChecksumError"
    assert seen["rest"] == {"filled": pytest.approx(2.5, abs=0.1), "orders": 4}
