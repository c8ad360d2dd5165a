"""The guardian's own figures in the Prometheus text format, and their server."""

import contextlib
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import web

from mmd.errors import ConfigError


class GuardianFigures(NamedTuple):
    """What there is to say of a guardian."""

    held: bool
    renewals: int
    losses: int
    canceled: int


_FAMILIES = (
    ("mmd_guardian_lease_held", "gauge", "1 while a daemon holds the lease", lambda f: int(f.held)),
    ("mmd_guardian_renewals_total", "counter", "Renewals of the lease", lambda f: f.renewals),
    (
        "mmd_guardian_losses_total",
        "counter",
        "Leases that were not renewed in time",
        lambda f: f.losses,
    ),
    ("mmd_guardian_orders_canceled_total", "counter", "Orders taken back", lambda f: f.canceled),
)


def exposition(figures: GuardianFigures) -> str:
    """The text of a scrape."""
    lines = []
    for name, kind, about, value in _FAMILIES:
        lines += [f"# HELP {name} {about}", f"# TYPE {name} {kind}", f"{name} {value(figures)}"]
    return "\n".join(lines) + "\n"


async def serve_metrics(
    host: str, port: int, figures: Callable[[], GuardianFigures], stack: contextlib.AsyncExitStack
) -> None:
    """Answer /metrics until the stack is unwound. Raises: ConfigError if the address cannot be had."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=exposition(figures()), content_type="text/plain")

    app = web.Application()
    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ConfigError(
            f"guardian.metrics_port: {host}:{port} cannot be listened on ({error.strerror or error}); set another port, "
            "or 0 for none"
        ) from error
