"""What the supervisor's unit tests share."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A verb that runs here configures the logs of this process; the next test does not see it."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
