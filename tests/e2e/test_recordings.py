"""Real input: the daemon observes recordings served over sockets, and its books equal a plain dict's."""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import run_embedded
from tests.recordings import recording

FILES = [
    ("binance-raw/coinm-btcusd_perp-20240808.gz",),
    ("binance-raw/spot-btcusdt-20240808.gz",),
    ("binance-raw/spot-ethusdt-20240808.gz",),
    ("binance-raw/usdm-btcusdt-20230404.gz", "binance-raw/usdm-btcusdt-20230405.gz"),
    ("binance-raw/usdm-btcusdt-20230405.gz",),
    ("binance-raw/usdm-btcusdt-20240808.gz",),
    ("binance-raw/usdm-ethusdt-20240808.gz",),
    (
        "binance-spot-nexousdt/nexousdt_20240723.dat.gz",
        "binance-spot-nexousdt/nexousdt_20240724.dat.gz",
    ),
]
QUICK = {FILES[1], FILES[3]}
"""Run by `make test`; the others by `make recordings`."""
Sides = tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]


def frames(paths: list[Path]) -> Iterator[dict[str, Any]]:
    """Payloads of the recordings, in file order."""
    for path in paths:
        with gzip.open(path, "rt") as lines:
            for line in lines:
                yield json.loads(line.split(" ", 1)[1])


def plain_books(paths: list[Path]) -> Iterator[tuple[int, Sides]]:
    """The documented procedure with two dicts: (update id, bids and asks) after each applied diff.

    A recording that has no snapshot starts from empty books: levels are unknown until touched.
    """
    payloads = frames(paths)
    has_snapshot = any("lastUpdateId" in p for p in frames(paths))
    sides: Sides = ({}, {})
    last = 0 if has_snapshot else -1
    early: list[dict[str, Any]] = []
    for payload in payloads:
        if "lastUpdateId" in payload:
            for side, key in zip(sides, ("bids", "asks"), strict=True):
                side.clear()
                side.update({Decimal(p): Decimal(q) for p, q in payload[key]})
            last = payload["lastUpdateId"]
            waiting, early = early, []
        elif "@depth" in payload["stream"]:
            waiting = [payload["data"]]
        else:
            continue
        for diff in waiting:
            if last == 0:
                early.append(diff)
            elif diff["u"] > last:
                for side, key in zip(sides, ("b", "a"), strict=True):
                    for price, quantity in diff[key]:
                        set_level(side, Decimal(price), Decimal(quantity))
                last = diff["u"]
                yield last, sides


def set_level(side: dict[Decimal, Decimal], price: Decimal, quantity: Decimal) -> None:
    if quantity:
        side[price] = quantity
    else:
        side.pop(price, None)


@pytest.mark.parametrize(
    "names",
    [names if names in QUICK else pytest.param(names, marks=pytest.mark.slow) for names in FILES],
    ids=lambda names: "+".join(Path(n).name for n in names),
)
def test_books_equal_a_plain_dict_at_every_update_id(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    """Nothing missed after the first sync, nothing different, no gap, no resync, no difference to the venue's top 20."""
    paths = [recording(name) for name in names]
    tapes = [argument for path in paths for argument in ("--tape", path)]
    done, summary = run_embedded(
        tmp_path,
        *tapes,
        "--speed",
        "max",
        "--observe",
        "--book-audit",
        "audit.jsonl",
        timeout_s=280,
    )
    assert done.code == 0, done.err
    feed = summary["feed"]
    assert feed["book_checks"] > 100
    assert (feed["book_mismatches"], feed["gaps"], feed["resyncs"]) == (0, 0, 0)
    with (tmp_path / "audit.jsonl").open() as lines:
        ours = {row["update_id"]: row for row in map(json.loads, lines)}
    first = min(ours)
    compared = 0
    for update_id, sides in plain_books(paths):
        row = ours.pop(update_id, None)
        if update_id < first:
            continue
        assert row is not None, f"update {update_id} is missing"
        compared += 1
        for side, key, descending in ((sides[0], "bids", True), (sides[1], "asks", False)):
            best = sorted(side, reverse=descending)[:20]
            assert [(Decimal(p), Decimal(q)) for p, q in row[key]] == [
                (p, side[p]) for p in best
            ], update_id
    assert compared > 1_000
    assert not ours, f"{len(ours)} updates that are not in the recording"
