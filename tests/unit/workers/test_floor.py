"""Lanes of a process work side by side, and whoever has to be alone is."""

import threading

from workers.floor import Floor


def test_who_is_alone_is_beside_nobody() -> None:
    floor, inside, worst = Floor(), [0, 0], []
    lock = threading.Lock()

    def work(place: int) -> None:
        for _ in range(200):
            with floor.alone() if place == 1 else floor.shared():
                with lock:
                    inside[place] += 1
                    worst.append((inside[0], inside[1]))
                with lock:
                    inside[place] -= 1

    threads = [threading.Thread(target=work, args=(place,)) for place in (0, 0, 0, 1, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert all(not (shared and alone) and alone <= 1 for shared, alone in worst)


def test_two_that_share_the_floor_are_at_work_at_the_same_time() -> None:
    floor, both, met = Floor(), threading.Barrier(2), list[int]()

    def work() -> None:
        with floor.shared():
            met.append(both.wait(10))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(met) == [0, 1]


def test_who_waits_to_be_alone_goes_before_newcomers() -> None:
    floor, order = Floor(), []
    started, waiting = threading.Event(), threading.Event()

    def alone() -> None:
        waiting.set()
        with floor.alone():
            order.append("alone")

    def newcomer() -> None:
        with floor.shared():
            order.append("newcomer")

    with floor.shared():
        first = threading.Thread(target=alone)
        first.start()
        assert waiting.wait(10)
        while not floor._waiting:
            started.wait(0.001)
        second = threading.Thread(target=newcomer)
        second.start()
    first.join(10)
    second.join(10)
    assert order == ["alone", "newcomer"]


def test_who_wants_to_be_alone_again_and_again_keeps_nobody_out() -> None:
    floor, order, inside = Floor(patience_s=0.0), [], threading.Event()

    def shared() -> None:
        inside.set()
        with floor.shared():
            order.append("shared")

    other = threading.Thread(target=shared)
    with floor.alone():
        other.start()
        assert inside.wait(10)
        while not floor._queued:
            inside.wait(0.001)
        order.append("alone")
    with floor.alone():
        order.append("alone again")
    other.join(10)
    assert order == ["alone", "shared", "alone again"]


def test_who_leaves_the_floor_lets_others_work_and_comes_back_as_before() -> None:
    floor, done = Floor(), threading.Event()

    def alone() -> None:
        with floor.alone():
            done.set()

    for kind in (floor.alone, floor.shared):
        done.clear()
        with kind():
            with floor.left():
                other = threading.Thread(target=alone)
                other.start()
                assert done.wait(10)
                other.join(10)
            assert (floor._taken, floor._at_work) == (
                (True, 0) if kind == floor.alone else (False, 1)
            )
    assert (floor._taken, floor._at_work, floor._owed) == (False, 0, 0)


def test_who_has_a_turn_between_two_is_told_to_hurry() -> None:
    floor, hurried = Floor(patience_s=0.0), []

    def shared() -> None:
        with floor.shared() as found:
            hurried.append(found)

    other, waiting = threading.Thread(target=shared), threading.Event()
    with floor.alone():
        other.start()
        while not floor._queued:
            waiting.wait(0.001)
    other.join(10)
    shared()
    assert hurried == [True, False]
