"""The embedded exchange as a child: it listens, says why it does not, and never outlives us."""

import asyncio
import os
import signal
import socket
import urllib.request

import pytest

from mmd.errors import MmdError, VenueUnreachableError
from mmd.shell import exchange_process
from mmd.shell.exchange_process import ExchangeProcess


async def test_it_listens_passes_its_log_on_and_ends(capfd: pytest.CaptureFixture[str]) -> None:
    """Start gives the address of a real server; stop frees the port, and its standard output was read all along."""
    exchange = ExchangeProcess(["--port", "0", "--seed", "3"])
    (address,) = await exchange.start()
    ping = await asyncio.to_thread(urllib.request.urlopen, f"{address}/api/v3/ping", timeout=5)
    with ping:
        assert ping.read() == b"{}"
    ended = asyncio.create_task(exchange.wait())
    await exchange.stop()
    await ended
    await exchange.stop()  # harmless
    port = int(address.rsplit(":", 1)[1])
    socket.create_server(("127.0.0.1", port)).close()
    assert "Traceback" not in capfd.readouterr().err


async def test_why_it_did_not_start_is_one_error_with_its_code(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Its own words, its options told as settings, and nothing printed besides."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        exchange = ExchangeProcess(["--port", str(port)])
        with pytest.raises(MmdError) as caught:
            await exchange.start()
        await exchange.stop()
    assert str(caught.value).startswith(f"embedded exchange: 127.0.0.1:{port} is taken")
    assert "embedded.port" in str(caught.value)
    assert caught.value.exit_code == 2
    assert capfd.readouterr().err == ""


async def test_a_violent_death_is_an_error() -> None:
    """Whoever waits for it learns of the signal."""
    exchange = ExchangeProcess(["--port", "0"])
    await exchange.start()
    assert exchange._process is not None
    os.kill(exchange._process.pid, signal.SIGKILL)
    with pytest.raises(VenueUnreachableError, match="killed by signal 9"):
        await exchange.wait()
    await exchange.stop()


async def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not left behind."""
    monkeypatch.setattr(exchange_process, "START_TIMEOUT_S", 0.05)
    exchange = ExchangeProcess(["--port", "0"])
    with pytest.raises(VenueUnreachableError, match="did not listen within"):
        await exchange.start()
    assert exchange._process is not None
    assert exchange._process.returncode is not None
