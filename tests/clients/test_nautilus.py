"""NautilusTrader against the embedded exchange."""

from decimal import Decimal

from tests.clients.client_process import converse


async def test_nautilus_loads_trades_listens_and_keeps_the_book() -> None:
    """Its instrument has our rules and fees, its books equal ours, its orders rest, are cancelled and fill."""
    seen = await converse("nautilus_client", "nautilus_trader", has_listen_keys=True)
    assert [Decimal(x) for x in seen["increments"]] == [Decimal("0.01"), Decimal("0.001")]
    assert [Decimal(x) for x in seen["fees"]] == [Decimal("0.0001")] * 2
    assert seen["heard"] == ["quote", "trade"]
    assert {"OrderAccepted", "OrderCanceled", "OrderFilled"} <= set(seen["events"])
    assert not {"OrderRejected", "OrderDenied", "OrderCancelRejected"} & set(seen["events"])
