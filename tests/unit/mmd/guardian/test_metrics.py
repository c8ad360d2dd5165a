"""The guardian's own metrics."""

import contextlib
import socket

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mmd.errors import ConfigError
from mmd.guardian.metrics import GuardianFigures, exposition, serve_metrics


def test_the_exposition_parses() -> None:
    """By the Prometheus client's own parser."""
    families = text_string_to_metric_families(exposition(GuardianFigures(True, 7, 1, 12)))
    found = {s.name: s.value for f in families for s in f.samples}
    assert found == {
        "mmd_guardian_lease_held": 1.0,
        "mmd_guardian_renewals_total": 7.0,
        "mmd_guardian_losses_total": 1.0,
        "mmd_guardian_orders_canceled_total": 12.0,
    }


async def test_it_is_served() -> None:
    """Where it was told; a taken port is refused with the setting's name."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with contextlib.AsyncExitStack() as stack:
            with pytest.raises(ConfigError, match=rf"guardian\.metrics_port: 127\.0\.0\.1:{port} "):
                await serve_metrics(
                    "127.0.0.1", port, lambda: GuardianFigures(False, 0, 0, 0), stack
                )
    async with contextlib.AsyncExitStack() as stack:
        await serve_metrics("127.0.0.1", port, lambda: GuardianFigures(False, 0, 0, 0), stack)
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"http://127.0.0.1:{port}/metrics") as a,
        ):
            assert "mmd_guardian_lease_held 0" in await a.text()
