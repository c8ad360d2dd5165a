"""Commands set up logging for their process; here they share one with other tests."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    """As it was before the command."""
    yield
    structlog.reset_defaults()
