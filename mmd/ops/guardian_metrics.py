"""What the daemon knows of its guardian, as metric families."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from mmd.guardian.keeper import GuardianView


def guardian_families(view: GuardianView | None) -> Iterator[Metric]:
    """Nothing where there is no guardian."""
    if view is None:
        return
    yield GaugeMetricFamily("mmd_guardian_up", "1 while the guardian answers", int(view.answers))
    yield GaugeMetricFamily(
        "mmd_guardian_lease_seconds", "How long a renewal of the lease lasts", view.lease_s
    )
    if view.age_s is not None:
        yield GaugeMetricFamily(
            "mmd_guardian_answer_age_seconds", "Since the guardian answered last", view.age_s
        )
    yield CounterMetricFamily(
        "mmd_guardian_leases_lost", "Leases that the guardian saw run out", view.losses
    )
    yield CounterMetricFamily(
        "mmd_guardian_orders_canceled", "Orders that the guardian took back", view.canceled
    )
