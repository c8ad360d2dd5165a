"""Our own text of a scrape: to a parser it is the client library's, and it is fast."""

import time

import msgspec
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from mmd.ops.example_state import example_state
from mmd.ops.exposition import exposition
from mmd.ops.family import gauge
from mmd.ops.metrics import StateCollector

INSTRUMENTS = 50
SCRAPE_S_MAX = 0.03
"""Processor time; the aim is 20 ms, and machines that run tests are busy and slow."""


def test_it_says_what_the_client_library_says() -> None:
    """Every family, sample and value, of a state with everything in it."""
    families = [f for f in StateCollector(example_state).collect() if "time" not in f.name]
    registry = CollectorRegistry(auto_describe=False)
    for family in families:
        registry.register(_One(family))
    theirs = list(text_string_to_metric_families(generate_latest(registry).decode()))
    ours = list(text_string_to_metric_families(exposition(families).decode()))
    assert len(ours) > 100
    assert ours == theirs


def test_odd_label_values_and_texts_are_escaped() -> None:
    """Quotes, backslashes and line ends come back as they were."""
    family = gauge("mmd_odd", "a\\b\nc", labels=("name",))
    family.add_metric(('x"\\\ny',), 1)
    (parsed,) = text_string_to_metric_families(exposition([family]).decode())
    assert parsed.samples[0].labels == {"name": 'x"\\\ny'}
    assert parsed.documentation == "a\\b\nc"


def test_fifty_instruments_are_scraped_quickly() -> None:
    """Collected and written, six orders each and every feature on; the best of five."""
    state = example_state()
    (one,) = state.instruments
    orders = [
        msgspec.structs.replace(one.orders[0], side=side, level=level)
        for side in ("BUY", "SELL")
        for level in range(3)
    ]
    many = [msgspec.structs.replace(one, symbol=f"I{k}", orders=orders) for k in range(INSTRUMENTS)]
    collector = StateCollector(lambda: msgspec.structs.replace(state, instruments=many))
    took_s = []
    for _ in range(5):
        began_s = time.process_time()
        text = exposition(collector.collect())
        took_s.append(time.process_time() - began_s)
    assert text.count(b"\n") > 100 * INSTRUMENTS
    assert min(took_s) < SCRAPE_S_MAX


class _One:
    """A collector of one family."""

    def __init__(self, family: object) -> None:
        self._family = family

    def collect(self) -> list[object]:
        return [self._family]
