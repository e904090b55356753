"""The main loop: from start to ready to drained, with processes and a server of straw."""

import json
import os
import signal
import threading
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from structlog.testing import capture_logs

from supervisor.errors import ActionFailed
from supervisor.requests import Request
from supervisor.signals import End, Hangup, Signals, Wake
from supervisor.steps import Steps
from supervisor.supervisor import Supervisor
from tests.unit.supervisor.stand_ins import a_machine
from tests.unit.supervisor.straw import supervised


def test_the_server_comes_first_and_goes_last(tmp_path: Path) -> None:
    with a_machine(step=0.01) as machine:
        done = supervised(machine, tmp_path, lambda supervisor: supervisor.end("a test"))
    assert done == ["server started", "pages opened", "ready", "pages shut", "server stopped"]
    assert [process.signals for process in machine.started] == [[signal.SIGTERM]] * 2


def test_workers_that_do_not_drain_in_time_are_killed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with a_machine(step=0.5, obedient=False) as machine:
        supervised(machine, tmp_path, lambda supervisor: supervisor.end("a test"), drain_s=0.1)
    assert [p.signals[-1] for p in machine.started] == [signal.SIGKILL] * 2
    assert "workers_killed" in capsys.readouterr().out


def test_a_second_signal_kills_without_waiting(tmp_path: Path) -> None:
    def twice(_: Supervisor) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with a_machine(obedient=False) as machine:  # its clock stands still: no time-out can end it
        supervised(machine, tmp_path, twice)
    assert [p.signals for p in machine.started] == [[signal.SIGTERM, signal.SIGKILL]] * 2


def test_a_request_is_done_by_the_main_loop_and_its_end_is_told(tmp_path: Path) -> None:
    told: list[str] = []

    def from_a_page(supervisor: Supervisor) -> None:
        def work() -> None:
            supervisor.ask(Request(lambda fleet: fleet.restart(["gate"])), 20.0)
            told.append("restarted")
            supervisor.end("a test")

        threading.Thread(target=work).start()

    with a_machine(step=0.001) as machine:
        supervised(machine, tmp_path, from_a_page)
    assert told == ["restarted"]
    assert len(machine.started) == 3


def test_a_request_that_comes_too_late_is_refused(tmp_path: Path) -> None:
    late = Request(lambda fleet: fleet.restart([]))

    def ending(supervisor: Supervisor) -> None:
        supervisor.end("a test")
        supervisor.inbox.put(late)
        supervisor.end("and again")

    with a_machine(obedient=False) as machine:
        supervised(machine, tmp_path, ending)
    with pytest.raises(ActionFailed):
        late.done.result(0)


@pytest.mark.parametrize("how", ["put", "asked"])
def test_a_request_that_comes_after_the_last_child_has_ended_is_refused(
    how: str, tmp_path: Path
) -> None:
    late = Request(lambda fleet: fleet.restart([]))
    refused: list[str] = []

    def ask(supervisor: Supervisor) -> None:
        with pytest.raises(ActionFailed) as told:
            supervisor.ask(late, 0)
        refused.append(str(told.value))

    def ending(supervisor: Supervisor) -> None:
        if how == "put":
            supervisor._rounds.write = lambda _: supervisor.inbox.put(late)  # type: ignore[method-assign]
        else:
            supervisor.server.at_stop = lambda: ask(supervisor)  # type: ignore[attr-defined]
        supervisor.end("a test")

    with a_machine(step=0.01) as machine:
        assert supervised(machine, tmp_path, ending)[-1] == "server stopped"
    assert str(late.done.exception(0)) == "the supervisor is ending"
    assert refused == (["the supervisor is ending"] if how == "asked" else [])


def test_a_signal_while_the_server_starts_ends_it_in_order(tmp_path: Path) -> None:
    def starting() -> Steps:
        assert signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL, "it would end the tests"
        os.kill(os.getpid(), signal.SIGTERM)
        while True:
            yield

    with a_machine() as machine:
        done = supervised(machine, tmp_path, lambda _: None, starting=starting)
    assert done == ["server stopped"]
    assert not machine.started


def test_a_hangup_while_the_server_starts_is_heeded_later(tmp_path: Path) -> None:
    counts: dict[tuple[str, str], int] = {}

    def starting() -> Steps:
        assert signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL, "it would end the tests"
        os.kill(os.getpid(), signal.SIGHUP)
        yield

    def ready(supervisor: Supervisor) -> None:
        counts.update(supervisor._chronicle.counts)
        supervisor.end("a test")

    with a_machine(step=0.01) as machine:
        supervised(machine, tmp_path, ready, starting=starting)
    assert counts == {("reloaded", ""): 1}


def test_nobody_is_ready_while_the_server_is_away(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[bool] = []

    def away(supervisor: Supervisor) -> None:
        supervisor.server.away = True  # type: ignore[attr-defined]
        supervisor._turn()
        seen.append(supervisor.seen.ready)
        supervisor.end("a test")

    with a_machine(step=0.01) as machine:
        supervised(machine, tmp_path, away)
    assert seen == [False]
    assert "server_away" in capsys.readouterr().out


def test_what_a_worker_warns_of_is_told_again_with_its_name(tmp_path: Path) -> None:
    with a_machine(step=0.01) as machine:

        def warn(supervisor: Supervisor) -> None:
            machine.started[0].say('{"event": "lease_lost", "level": "warning", "lane": 0}')
            machine.started[0].say('{"event": "worker_started", "level": "info"}')
            supervisor._turn()
            supervisor.end("a test")

        with capture_logs() as told:
            supervised(machine, tmp_path, warn)
    of_workers = [(each["process"], each["event"]) for each in told if "process" in each]
    assert of_workers == [("gate", "lease_lost")]
    assert "worker_started" not in [each["event"] for each in told]


def test_signals_become_words_in_the_inbox_while_it_is_entered() -> None:
    inbox: SimpleQueue[Any] = SimpleQueue()
    before = signal.getsignal(signal.SIGTERM)
    with Signals(inbox):
        os.kill(os.getpid(), signal.SIGTERM)
        assert inbox.get(timeout=5) == End("SIGTERM")
        os.kill(os.getpid(), signal.SIGCHLD)
        assert inbox.get(timeout=5) == Wake()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("had", "has", "word"),
    [(False, False, Hangup()), (True, True, Hangup()), (True, False, End("SIGHUP"))],
)
def test_a_hangup_reloads_unless_the_terminal_is_gone(had: bool, has: bool, word: object) -> None:
    inbox: SimpleQueue[Any] = SimpleQueue()
    terminal = iter([had, has])
    with Signals(inbox, lambda: next(terminal)):
        os.kill(os.getpid(), signal.SIGHUP)
        assert inbox.get(timeout=5) == word


def test_what_a_process_did_to_itself_is_counted_and_what_its_keeper_answered_told_once(
    tmp_path: Path,
) -> None:
    counts: dict[tuple[str, str], int] = {}
    restarts: dict[str, int] = {}
    with a_machine(step=0.01) as machine:

        def deadline(supervisor: Supervisor) -> None:
            say = machine.started[0].say
            say('{"event": "deadline_passed", "level": "error", "handling_s": 61, "worker": "x"}')
            for n in (1, 2):
                said = {"event": "process_ended", "level": "error", "restarts": n}
                say(json.dumps({**said, "reason": "ended"}))
            supervisor._turn()
            counts.update(supervisor.seen.actions or {})
            restarts.update(supervisor.seen.restarts or {})
            supervisor.end("a test")

        supervised(machine, tmp_path, deadline)
    assert counts == {("deadline", "gate"): 1, ("restarted", "gate"): 1}
    assert restarts == {"gate": 2, "pass": 0}


def test_a_worker_that_breaks_again_after_it_was_mended_is_told_of_again(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    with a_machine(step=0.01) as machine:

        def starts(supervisor: Supervisor) -> None:
            machine.clock.at_s += 31
            supervisor._look_at_children()

        def breaks(supervisor: Supervisor) -> None:
            machine.started[-1].say("no function 'x'")
            machine.started[-1].code = 3
            supervisor._look_at_children()

        def twice(supervisor: Supervisor) -> None:
            supervisor._on_broken = lambda *words: told.append(words)
            machine.started[0].code = 1
            supervisor._look_at_children()
            for _ in range(2):
                starts(supervisor)
                breaks(supervisor)
            assert told == [("gate", "no function 'x'")]
            machine.clock.at_s += 31
            supervisor._turn()  # it starts, and is heard
            machine.started[-1].code = 1
            supervisor._look_at_children()
            starts(supervisor)
            breaks(supervisor)
            supervisor.end("a test")

        supervised(machine, tmp_path, twice)
    assert told == [("gate", "no function 'x'")] * 2
