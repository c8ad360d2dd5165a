"""Runs a client's conversation under that client's own Python against an embedded exchange, and checks its books."""

import asyncio
import datetime as dt
import ipaddress
import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.binance_spot.sandbox import Sandbox
from adapters.binance_spot.sandbox_options import SandboxOptions

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("MMD_CLIENTS", ROOT / "var" / "clients"))
TOKEN = "clients-token"
WAIT_S = 90.0
Side = dict[int, int]


def interpreter(client: str) -> str:
    """The client's Python; the test is skipped where `make clients` has not installed it."""
    python = FOLDER / client / "bin" / "python"
    if not python.exists():
        pytest.skip(f"{client} is not installed: run `make clients` (looked for {python})")
    return str(python)


class Books:
    """The exchange's own book at each update id that it told of."""

    def __init__(self) -> None:
        self.sandbox: Sandbox | None = None
        self._by_id: dict[int, tuple[Side, Side]] = {}

    def on_frame_sent(self, ts_ns: int, stream: str, update_id: int) -> None:
        """Keep the book as a diff of it goes out."""
        del ts_ns
        if "@depth" in stream and self.sandbox is not None:
            bids, asks = self.sandbox.exchange.markets[0].book.sides
            self._by_id[update_id] = dict(bids.depth(10**6)), dict(asks.depth(10**6))

    def check(self, told: list[tuple[int, Any, Any]], least: int) -> None:
        """Every book that a client told of at an id that we know equals ours, level by level."""
        assert self.sandbox is not None
        at = self.sandbox.instrument
        known = [book for book in told if book[0] in self._by_id]
        assert len(known) >= least, f"{len(known)} of {len(told)} books have an id that was sent"
        for update_id, *sides in known:
            theirs = tuple(
                {at.ticks(Decimal(p)): at.lots(Decimal(q)) for p, q in side} for side in sides
            )
            assert theirs == self._by_id[update_id], f"books differ at update id {update_id}"


def self_signed(folder: Path) -> Path:
    """A certificate for this machine's loopback, with its key, that a client can be told to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    path = folder / "loopback.pem"
    path.write_bytes(
        certificate.public_bytes(pem)
        + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


async def converse(module: str, client: str | None, **options: Any) -> dict[str, Any]:
    """Run tests/clients/<module>.py to its end; what it reported, its books checked."""
    python = sys.executable if client is None else interpreter(client)
    books = Books()
    sandbox = Sandbox(
        SandboxOptions(faults_token=TOKEN, **options), on_frame_sent=books.on_frame_sent
    )
    books.sandbox = sandbox
    certificate = options.get("certificate")
    trust = (
        {}
        if certificate is None
        else {"SSL_CERT_FILE": str(certificate), "REQUESTS_CA_BUNDLE": str(certificate)}
    )
    async with sandbox:
        process = await asyncio.create_subprocess_exec(
            python,
            "-m",
            f"tests.clients.{module}",
            *(sandbox.rest_url, sandbox.stream_url, sandbox.api_url, TOKEN),
            cwd=ROOT,
            env=os.environ | trust,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(WAIT_S):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    print(err.decode())
    assert process.returncode == 0, err.decode()[-4000:]
    seen = json.loads(out.splitlines()[-1])
    books.check(seen["books"], least=5)
    return seen
