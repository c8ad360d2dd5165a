"""The settings of quote construction: what is built round the spread model's prices, and how orders follow them."""

from pydantic import Field

from mmd.config_section import Section


class ConstructionSection(Section):
    """How quotes are built round the model's prices, and how orders follow them."""

    own_orders_removed: bool = Field(
        True,
        description="take our own orders out of the venue's book before features are made of it",
    )
