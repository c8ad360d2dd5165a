"""A venue's settings as its adapter is to read them: what the user wrote, and where an embedded exchange listens."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # it would load the compiler into processes that need none
    from mmd.config import Settings


def embedded_addresses(settings: "Settings") -> list[str]:
    """Where running embedded exchanges are expected, one per venue, ports counting up; none in other environments."""
    embedded = settings.embedded
    if settings.environment != "embedded":
        return []
    return [f"http://{embedded.host}:{embedded.port + k}" for k in range(len(settings.venues))]


def venue_fields(settings: "Settings", number: int, addresses: Sequence[str]) -> dict[str, Any]:
    """The fields of the venue with that place in the settings.

    Args:
        settings: all settings.
        number: the venue's place among them.
        addresses: the embedded exchanges', which then replace the venue's public ones; empty: as the settings expect.
    """
    section = list(settings.venues.values())[number]
    addresses = addresses or embedded_addresses(settings)
    fields = {"instruments": section.instruments} | (section.model_extra or {})
    if number < len(addresses):
        fields = parts_of(addresses[number]) | fields
    if not settings.quoting.enabled or settings.environment == "paper":
        fields["observe"] = True
    if settings.starts_exchange:  # nobody was there before us
        fields.setdefault("settles_at_start", False)
    return fields


def parts_of(address: str) -> dict[str, str]:
    """Where the embedded exchange serves each part of the venue's protocol."""
    socket = address.replace("http://", "ws://", 1)
    return {"rest_url": address, "stream_url": socket, "api_url": f"{socket}/ws-api/v3"}
