"""A channel delays messages, and its carrier may lose or double them."""

import numpy as np

from mmd.exchange.fills.latency import empirical
from mmd.simulation.agenda import Agenda
from mmd.simulation.channel import Channel, carrier


def _channel(carry):
    agenda = Agenda(0)
    seen = []
    return agenda, Channel(agenda, carry, lambda m: seen.append((agenda.now_ns, m))), seen


def test_messages_keep_their_order_whatever_the_delays():
    """A delay drawn shorter than the one before does not overtake."""
    agenda, channel, seen = _channel(carrier(empirical((5, 50, 500)), np.random.default_rng(3)))
    for number in range(100):
        channel.send(number, number)
    agenda.run(10_000)
    assert [message for _, message in seen] == list(range(100))
    assert channel.in_flight == 0


def test_a_carrier_may_lose_and_double():
    """No arrival is a loss, two are a double; both are counted right."""
    agenda, channel, seen = _channel(lambda t: () if t == 1 else (t + 10, t + 20))
    channel.send("lost", 1)
    channel.send("twice", 2)
    assert channel.in_flight == 2
    agenda.run(100)
    assert seen == [(12, "twice"), (22, "twice")]


def test_what_is_on_its_way_when_the_connection_breaks_is_lost():
    """After a cut only what is sent later arrives."""
    agenda, channel, seen = _channel(lambda t: (t + 10,))
    channel.send("before", 0)
    channel.cut()
    channel.send("after", 1)
    agenda.run(100)
    assert seen == [(11, "after")]
    assert channel.in_flight == 0
