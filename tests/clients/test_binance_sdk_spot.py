"""The official binance-sdk-spot against the embedded exchange."""

from tests.clients.client_process import converse


async def test_the_official_sdk_loads_trades_listens_and_keeps_the_book() -> None:
    """Its typed models know every field; no error in its log; books equal; a gap shows."""
    seen = await converse("binance_sdk_client", "binance-sdk-spot")
    assert seen["errors"] == []
    assert seen["unknown"] == []
    assert "immediately match" in seen["refused"]
    assert seen["missing"] > 0
    assert {"ExecutionReport", "OutboundAccountPosition"} == set(seen["heard"])
