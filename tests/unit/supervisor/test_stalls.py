"""Which processes are said to stall: those that settle nothing although entries wait, no other."""

from hypothesis import given
from hypothesis import strategies as st

from streams.progress import Grip, Progress
from supervisor.stalls import Post, Stalls

ALONE = Post("pass", "p", 0, alone=True)
SHARED = Post("gate", "g", 0, alone=False)
OTHER = Post("gate", "h", 0, alone=False)
PATIENCE_S = {"pass": 30.0, "gate": 30.0}


def at(lag: int, settled: int, **grips: tuple[int, float]) -> Progress:
    return Progress(lag, settled, {name: Grip(*grip) for name, grip in grips.items()})


def stalled(post: Post, looks: list[Progress], every_s: float = 5.0) -> list[float]:
    """The times of the looks at which it was found to stall."""
    stalls = Stalls()
    found = [
        (n * every_s, stalls.look(n * every_s, {post: look}, PATIENCE_S))
        for n, look in enumerate(looks)
    ]
    return [at_s for at_s, consumers in found if post.consumer in consumers]


def test_who_owns_its_lane_stalls_once_nothing_was_committed_for_as_long_as_it_may_take() -> None:
    looks = [at(9, 100, p=(3, 5.0 * n)) for n in range(8)]
    assert stalled(ALONE, looks) == [30.0, 35.0]


def test_a_commit_now_and_then_is_no_stall() -> None:
    assert stalled(ALONE, [at(9, n // 5, p=(3, 99.0)) for n in range(40)]) == []


def test_where_nothing_waits_nothing_stalls() -> None:
    assert stalled(ALONE, [at(0, 7)] * 40) == []
    assert stalled(SHARED, [at(0, 7, g=(0, 999.0))] * 40) == []


def test_what_is_in_its_hands_waits_too() -> None:
    assert stalled(ALONE, [at(0, 7, p=(1, 5.0 * n)) for n in range(8)])
    assert stalled(SHARED, [at(0, 7, g=(1, 5.0 * n)) for n in range(8)])


def test_on_a_shared_lane_the_commits_of_others_do_not_hide_who_stands_still() -> None:
    stalls = Stalls()
    for n in range(8):
        seen = at(500, n * 10, g=(2, 5.0 * n + 0.1), h=(2, 0.1))
        found = stalls.look(n * 5.0, {SHARED: seen, OTHER: seen}, PATIENCE_S)
    assert list(found) == ["g"]
    assert (found["g"].lag, found["g"].pending, found["g"].for_s) == (500, 2, 35.0)


def test_whoever_reads_and_never_commits_stalls_but_not_who_waits_to_try_one_again() -> None:
    assert stalled(SHARED, [at(5, 7, g=(2, 0.1))] * 8) == [30.0, 35.0]
    assert stalled(SHARED, [at(0, 7, g=(1, 0.1))] * 40) == []


def test_what_stood_by_or_was_rebuilt_meanwhile_begins_anew() -> None:
    stalls = Stalls()
    waits = at(9, 100, p=(3, 99.0))
    stalls.look(0.0, {ALONE: waits}, PATIENCE_S)
    stalls.look(25.0, {}, PATIENCE_S)
    assert stalls.look(50.0, {ALONE: waits}, PATIENCE_S) == {}
    assert stalls.look(79.0, {ALONE: waits}, PATIENCE_S) == {}
    assert list(stalls.look(80.0, {ALONE: waits}, PATIENCE_S)) == ["p"]


def test_an_outage_is_no_stall() -> None:
    stalls = Stalls()
    waits = at(9, 100, p=(3, 99.0))
    stalls.look(0.0, {ALONE: waits}, PATIENCE_S)
    stalls.forget()
    assert stalls.look(1000.0, {ALONE: waits}, PATIENCE_S) == {}


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 1), st.integers(0, 3), st.floats(0, 60)),
        max_size=60,
    ),
    st.booleans(),
)
def test_nobody_stalls_sooner_than_patience_lasts_after_it_came_on(
    steps: list[tuple[int, int, int, float]], alone: bool
) -> None:
    post = ALONE if alone else SHARED
    stalls, settled, committed_at_s, read_at_s = Stalls(), 0, 0.0, 0.0
    for n, (lag, commits, pending, idle_s) in enumerate(steps):
        now_s, settled, idle = n * 5.0, settled + commits, not (lag or pending)
        seen = Progress(lag, settled, {post.consumer: Grip(pending, idle_s)})
        committed_at_s = now_s if commits or idle else committed_at_s
        read_at_s = now_s if idle_s < 5.0 or idle else read_at_s
        found = stalls.look(now_s, {post: seen}, PATIENCE_S)
        if post.consumer in found:
            assert lag or pending
            what_counts = [committed_at_s] if alone else [committed_at_s, read_at_s]
            came_on_at_s = min(what_counts) if lag or alone else read_at_s
            assert found[post.consumer].for_s == now_s - came_on_at_s >= 30.0
