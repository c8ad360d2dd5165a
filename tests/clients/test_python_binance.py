"""python-binance against the embedded exchange."""

from tests.clients.client_process import converse


async def test_python_binance_loads_trades_listens_and_keeps_the_book() -> None:
    """No error but the one asked for; its depth cache equals our book; a gap makes it start anew."""
    seen = await converse("python_binance_client", "python-binance")
    assert seen["refused"] == -2010
    assert seen["restarts"] == 1
    assert len(seen["streams"]) == 8
    assert {"executionReport", "outboundAccountPosition"} <= set(seen["heard"])
