"""What the supervisor's unit tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from supervisor.child import Child
from tests.unit.supervisor.stand_ins import Machine, a_machine, child_on


@pytest.fixture
def machine() -> Iterator[Machine]:
    """One whose processes end when they are told to."""
    with a_machine() as machine:
        yield machine


@pytest.fixture
def child(machine: Machine, tmp_path: Path) -> Child:
    """One of the gate, that was started and has not been heard."""
    child = child_on(machine, tmp_path)
    child.start()
    return child


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A verb that runs here configures the logs of this process; the next test does not see it."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
