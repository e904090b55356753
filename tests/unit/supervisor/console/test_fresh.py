"""One look serves all who ask within a second; a look that failed serves nobody."""

import pytest

from supervisor.console.fresh import FRESH_S, Fresh
from tests.unit.supervisor.stand_ins import Clock


def test_whoever_asks_again_soon_gets_the_same_look() -> None:
    clock = Clock()
    fresh = Fresh(lambda now_s: now_s, clock)
    assert fresh.seen() == 100.0
    clock.at_s += FRESH_S / 2
    assert fresh.seen() == 100.0
    clock.at_s += FRESH_S
    assert fresh.seen() == clock.at_s


def test_a_look_that_failed_is_made_again_at_once() -> None:
    answers: list[str | OSError] = [OSError("away"), "there"]

    def look(_: float) -> str:
        found = answers.pop(0)
        if isinstance(found, OSError):
            raise found
        return found

    fresh = Fresh(look, Clock())
    with pytest.raises(OSError, match="away"):
        fresh.seen()
    assert [fresh.seen(), fresh.seen()] == ["there", "there"]
