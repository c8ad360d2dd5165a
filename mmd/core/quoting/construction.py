"""How quotes are built round the spread model's prices and how orders follow them, as a session's spec carries it."""

import msgspec


class ConstructionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """User-facing meaning and defaults stand in mmd.config_construction; the defaults here change nothing."""

    refresh_levels: bool = False
    """Whether after a fill its level and those before it are cancelled; else the side only gets no new orders."""
