"""The rules that the embedded exchange states are those that it was given."""

from decimal import Decimal

from adapters.binance_spot.sandbox import Sandbox, SandboxOptions
from tests.sandbox_client import rest


async def _filters(options: SandboxOptions) -> dict[str, dict[str, object]]:
    async with Sandbox(options) as sandbox, rest(sandbox) as client:
        _, body, _ = await client.public("/api/v3/exchangeInfo")
    (symbol,) = body["symbols"]
    return {found["filterType"]: found for found in symbol["filters"]}


async def test_a_limit_on_what_is_held_is_stated_where_there_is_one() -> None:
    """In base units, whole lots of them; a market without it has no such filter."""
    assert "MAX_POSITION" not in await _filters(SandboxOptions())
    limited = await _filters(SandboxOptions(position_max=Decimal("12.5004")))
    assert limited["MAX_POSITION"] == {
        "filterType": "MAX_POSITION",
        "maxPosition": "12.50000000",
    }
