"""What all tests share: hypothesis without deadlines, since shared machines are noisy, and a log as it was before."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("mmd", deadline=None, print_blob=True)
settings.load_profile("mmd")


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """A command that ran in the test's own process leaves its log level behind."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
