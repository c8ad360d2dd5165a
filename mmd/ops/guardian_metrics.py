"""What the daemon knows of its guardian, as metric families."""

from collections.abc import Iterator

from mmd.guardian.keeper import GuardianView
from mmd.ops.family import Family, counter, gauge


def guardian_families(view: GuardianView | None) -> Iterator[Family]:
    """Nothing where there is no guardian."""
    if view is None:
        return
    yield gauge("mmd_guardian_up", "1 while the guardian answers", int(view.answers))
    yield gauge("mmd_guardian_lease_seconds", "How long a renewal of the lease lasts", view.lease_s)
    if view.age_s is not None:
        yield gauge(
            "mmd_guardian_answer_age_seconds", "Since the guardian answered last", view.age_s
        )
    yield counter("mmd_guardian_leases_lost", "Leases that the guardian saw run out", view.losses)
    yield counter(
        "mmd_guardian_orders_canceled", "Orders that the guardian took back", view.canceled
    )
