"""The keeper: it forks the process that works anew after a fault, and ends with it otherwise."""

import os
import signal
import subprocess
import sys

import pytest

from streams.outage import Backoff
from workers.in_hand import Left, Suspect
from workers.keeper import _End, _pause_s

KEPT = """
import os, signal, sys, time
from pathlib import Path
from streams.outage import Backoff
from workers import keeper
from workers.in_hand import Hands
from workers.keeper import Allowance, keep

class Log:
    def error(self, event, **fields):
        print(event, fields["reason"], fields["restarts"], flush=True)

def work(kept):
    {served}
    print("works", kept.restarts, os.getppid() == kept.pid, bool(kept.dead), flush=True)
    {work}
    return 0

hands = Hands(2)
pauses = Backoff(first_s={first_s}, most_s={first_s} * 1e9)
allowance = Allowance(most={most}, every_s=1e9)
sys.exit(keep(work, Log(), hands, allowance=allowance, pauses=pauses))
"""


def program(work: str, most: int = 3, served: str = "kept.served()", first_s: float = 0.0) -> str:
    return KEPT.format(work=work, most=most, served=served, first_s=first_s)


def kept(work: str, most: int = 3, served: str = "kept.served()") -> tuple[int, list[str]]:
    """The exit code and the lines of a program that keeps a process which does ``work``."""
    done = subprocess.run(
        [sys.executable, "-c", program(work, most, served)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("os._exit(7)", "ended with exit code 7"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9"),
        ("sys.exit(5)", "ended with exit code 5"),
    ],
)
def test_a_process_that_ends_by_a_fault_is_followed_by_another(fault: str, reason: str) -> None:
    code, lines = kept(f"if kept.restarts < 2: {fault}")
    assert code == 0
    assert lines == [
        "works 0 True False",
        f"process_ended {reason} 1",
        "works 1 True True",
        f"process_ended {reason} 2",
        "works 2 True True",
    ]


def test_a_process_is_told_what_those_before_it_had_in_hand() -> None:
    work = """print("suspects", *((s.lane, s.entry_id, s.alone) for s in kept.suspects), flush=True)
    hands.of(1).note("2-0"); hands.of(1).note("3-0")
    if kept.restarts == 0: hands.of(0).note("1-0")
    if kept.restarts < 2: os.kill(os.getpid(), signal.SIGKILL)"""
    code, lines = kept(work)
    assert code == 0
    assert [line for line in lines if "suspects" in line] == [
        "suspects",
        "suspects (0, '1-0', False) (1, '3-0', False)",
        "suspects (0, '1-0', False) (1, '3-0', False) (1, '3-0', True)",
    ]


def test_what_had_failed_is_a_suspect_and_not_guilty() -> None:
    work = """of = [(s.entry_id, s.alone) for s in kept.suspects]
    print("left", len(kept.explained), of[:1], len(of), flush=True)
    if kept.restarts == 0: os._exit(7)
    hands.of(0).note_waiting(["1-0", "2-0"])
    hands.of(1).note("3-0")
    if kept.restarts == 1: os._exit(7)
    hands.of(0).note_waiting([f"{i}-0" for i in range(33)])
    if kept.restarts == 2: os._exit(7)"""
    code, lines = kept(work)
    assert code == 0
    assert [line for line in lines if line.startswith("left")] == [
        "left 0 [] 0",
        "left 0 [] 0",  # it had nothing in hand
        "left 1 [('1-0', False)] 3",
        "left 1 [('1-0', False)] 4",  # it had tried more than there is room to tell of
    ]


def test_those_that_ended_at_once_are_all_inherited_from() -> None:
    work = """keeper._INHERITED_AFTER_S = 1e9
    print("dead", len(kept.dead), len(set(kept.dead)), flush=True)
    hands.of(0).note("1-0")
    if kept.restarts < 10: os._exit(7)"""
    code, lines = kept(work, most=20)
    assert code == 0
    assert [line for line in lines if line.startswith("dead")] == [
        f"dead {n} {n}" for n in (0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8)
    ]


@pytest.mark.parametrize("code", [0, 3, 9])
def test_what_work_returns_is_final(code: int) -> None:
    assert kept(f"return {code}") == (code, ["works 0 True False"])


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("os._exit(7)", 7),
        ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
        ("signal.signal(signal.SIGTERM, signal.SIG_DFL); os.kill(os.getpid(), 15)", -15),
    ],
)
def test_a_keeper_whose_allowance_is_spent_ends_as_its_process_did(fault: str, code: int) -> None:
    found, lines = kept(fault, most=2)
    assert found == code
    assert sum(line.startswith("works") for line in lines) == 3


def told(number: int) -> tuple[int, str]:
    """The exit code and the last words of a kept process whose keeper gets a signal."""
    work = "print('told', kept.stopping.wait(30), flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", program(work)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("works")
        process.send_signal(number)
        words = process.stdout.read()  # ends when the last of the two is gone
        return process.wait(30), words


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_end_is_passed_on(number: int) -> None:
    assert told(number) == (0, "told True\n")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_kill_9_of_the_keeper_ends_both() -> None:
    assert told(signal.SIGKILL) == (-signal.SIGKILL, "")


def test_ctrl_c_that_reaches_both_ends_both_once() -> None:
    work = """threads = [threading.Thread(target=kept.stopping.wait) for _ in range(4)]
    for thread in threads: thread.start()
    while not kept.stopping.wait(0.001): pass
    for thread in threads: thread.join()"""
    text = program(work).replace("import os,", "import threading, os,")
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", text],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("works")
            os.killpg(process.pid, signal.SIGINT)
            try:
                assert process.wait(20) == 0
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)


def test_a_process_of_the_workers_own_that_lives_on_holds_nothing_up() -> None:
    work = """if kept.restarts == 0:
        if os.fork() == 0: time.sleep(3); os._exit(0)
        os._exit(7)"""
    code, lines = kept(work)
    assert code == 0
    assert lines[1:] == ["process_ended ended with exit code 7 1", "works 1 True True"]


@pytest.mark.parametrize("code", [0, 1, 7])
def test_who_ends_by_itself_before_it_was_any_good_is_not_followed(code: int) -> None:
    assert kept(f"os._exit({code})", served="") == (code, ["works 0 True False"])


def test_who_dies_twice_of_the_same_signal_before_it_was_any_good_is_not_followed() -> None:
    code, lines = kept("os.kill(os.getpid(), signal.SIGSEGV)", most=99, served="")
    assert code == -signal.SIGSEGV
    assert sum(line.startswith("works") for line in lines) == 2


@pytest.mark.parametrize(
    "fault", ["signal.SIGSEGV if kept.restarts % 2 else signal.SIGBUS", "signal.SIGKILL"]
)
def test_what_may_have_come_from_outside_is_tried_for_longer(fault: str) -> None:
    code, lines = kept(f"os.kill(os.getpid(), {fault})", most=99, served="")
    assert code < 0
    assert sum(line.startswith("works") for line in lines) == 11


@pytest.mark.parametrize(
    "fault", ["hands.of(0).note('1-0'); os._exit(7)", "os.kill(os.getpid(), signal.SIGKILL)"]
)
def test_who_had_an_entry_in_hand_or_was_killed_is_followed_though_it_was_never_ready(
    fault: str,
) -> None:
    code, lines = kept(f"if kept.restarts < 2: {fault}", served="")
    assert code == 0
    assert len([line for line in lines if line.startswith("works")]) == 3


def ended(lived_s: float, *in_hand: Suspect) -> _End:
    return _End(-9, b"+", lived_s, Left(list(in_hand), [], whole=bool(in_hand)))


def test_pauses_grow_until_a_process_has_worked_for_a_while() -> None:
    pauses = Backoff(first_s=0.1, most_s=10.0, random_share=lambda: 1.0)
    short = [_pause_s(ended(0.2), pauses) for _ in range(9)]
    assert short == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert _pause_s(ended(11.0), pauses) == 0.1
    assert _pause_s(ended(0.2, Suspect(0, "1-0", alone=True)), pauses) == 0.0


def test_a_keeper_ends_when_pauses_do_not_help() -> None:
    code, lines = kept("os.kill(os.getpid(), signal.SIGKILL)", most=99)
    assert code == -signal.SIGKILL
    assert sum(line.startswith("works") for line in lines) == 11


def test_a_keeper_that_pauses_can_be_told_to_end() -> None:
    text = program("os.kill(os.getpid(), signal.SIGKILL)", first_s=1000.0)
    with subprocess.Popen(
        [sys.executable, "-c", text], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("works")
        assert process.stdout.readline().startswith("process_ended")
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
