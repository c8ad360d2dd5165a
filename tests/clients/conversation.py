"""What every client's conversation shares; standard library only, as it runs under each client's own Python.

A conversation is told where the exchange is, says what it does on standard error, and ends with one line of
JSON on standard output: what it saw.
"""

import argparse
import asyncio
import json
import sys
import urllib.request
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

KEY, SECRET = "embedded-key", "embedded-secret"
SYMBOL = "MMDUSDT"
_LOOK_S = 0.05
BOOKS = 12
"""Books to report before the gap."""


class Where(NamedTuple):
    """Addresses of the exchange, and the token of its fault control."""

    rest: str
    stream: str
    api: str
    token: str


def where() -> Where:
    """The addresses given on the command line."""
    parser = argparse.ArgumentParser()
    for name in Where._fields:
        parser.add_argument(name)
    return Where(**vars(parser.parse_args()))


def say(*words: object) -> None:
    """One step of the conversation."""
    print(*words, file=sys.stderr, flush=True)


def fault(at: Where, **order: Any) -> None:
    """Order a fault."""
    request = urllib.request.Request(
        f"{at.rest}/control/faults",
        data=json.dumps(order).encode(),
        headers={"X-MMD-Token": at.token},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 204


def report(**seen: Any) -> None:
    """End the conversation."""
    print(json.dumps(seen), flush=True)


async def until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for something that only a look now and then can tell of."""
    for _ in range(round(timeout_s / _LOOK_S)):
        if holds():
            return
        await asyncio.sleep(_LOOK_S)
    raise TimeoutError


async def traded(fetch: Callable[[], Awaitable[list[Any]]]) -> None:
    """Wait until the market has traded."""
    for _ in range(100):
        if await fetch():
            return
        await asyncio.sleep(2 * _LOOK_S)
    raise TimeoutError


def levels(side: Any) -> list[list[str]]:
    """Prices and quantities as texts."""
    return [[str(price), str(qty)] for price, qty in side]
