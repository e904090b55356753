"""A model of delivery: claim, lease, commit and crash in any order, in a few dictionaries."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from schemas.topology import Topology
from streams.commit import Committer
from streams.connection import Client, send
from streams.entry import Entry, Output, Settled
from streams.errors import LeaseLost
from streams.keys import Lane
from streams.lease import Lease
from streams.reader import Claim, Reader
from streams.trim import plan_trim, trim

LANE, GROUP, NAMES = Lane(), "gate", ("a", "b", "c")
AUTHOR = {
    "worker": GROUP, "worker_kind": "gate", "worker_version": "1", "host": "here", "run": "r",
}  # fmt: skip
CONSUMERS = st.sampled_from(NAMES)


@dataclass
class Consumer:
    """What a worker process has: a lease, a way to read, and entries in its memory."""

    lease: Lease
    reader: Reader
    committer: Committer
    memory: list[Entry] = field(default_factory=list)


def consumer(client: Client, name: str) -> Consumer:
    lease = Lease(client, LANE, GROUP, name, 600.0)
    committer = Committer(
        client, LANE, GROUP, lease, author=AUTHOR, lineage="LINEAGE", remember_s=60.0
    )
    return Consumer(lease, Reader(client, LANE, GROUP, name, ["IN"]), committer)


class Delivery(RuleBasedStateMachine):
    """Three consumers of one group. The model knows who has what pending, how often it was
    delivered, and what has been settled.
    """

    client: Client
    topology: Topology

    @initialize()
    def begin(self) -> None:
        send(self.client, "FLUSHALL")
        self.published: list[str] = []
        self.unread: list[str] = []
        self.pending: dict[str, tuple[str, int]] = {}
        self.settled: set[str] = set()
        self.holder: dict[str, str] = {}
        self.group = {name: consumer(self.client, name) for name in NAMES}
        self.group["a"].reader.ensure_groups()
        for name in NAMES:
            self.take_the_lease(name, "itself")
        self.publish(9)
        for name in NAMES:
            self.read(name, 2)

    @rule(count=st.integers(1, 4))
    def publish(self, count: int) -> None:
        for _ in range(count):
            entry_id = send(self.client, "XADD", "IN", "*", "data", "x").decode()
            self.published.append(entry_id)
            self.unread.append(entry_id)

    @rule(name=CONSUMERS, holder=st.sampled_from(["itself", "a stranger"]))
    def take_the_lease(self, name: str, holder: str) -> None:
        """A stranger: the next owner of a lane, under the same consumer's name."""
        me = self.group[name] if holder == "itself" else consumer(self.client, name)
        free = self.holder.get(name, holder) == holder
        assert me.lease.acquire(holder) is free
        if free:
            self.holder[name] = holder

    @rule(name=CONSUMERS)
    def renew(self, name: str) -> None:
        assert self.group[name].lease.renew() is self.holds(name)

    def holds(self, name: str) -> bool:
        return self.holder.get(name) == "itself"

    @precondition(lambda self: self.unread)  # a server lets an empty read wait 100 ms at least
    @rule(name=CONSUMERS, count=st.integers(1, 5))
    def read(self, name: str, count: int) -> None:
        """Also by one that has slept through its lease: nothing stops its read."""
        found = self.group[name].reader.read(count, 0.001)
        assert [entry.id for entry in found] == self.unread[:count]
        del self.unread[: len(found)]
        self.group[name].memory += found
        self.pending |= {entry.id: (name, 1) for entry in found}

    @rule(name=CONSUMERS, data=st.data())
    def commit(self, name: str, data: st.DataObject) -> None:
        """Any part of what it remembers, in any order, whoever has it now, settled or not."""
        memory = self.group[name].memory
        count = data.draw(st.integers(0, len(memory)))
        self._commit(name, data.draw(st.permutations(memory))[:count])

    @rule(name=CONSUMERS)
    def commit_whatever_it_remembers(self, name: str) -> None:
        self._commit(name, self.group[name].memory)

    def _commit(self, name: str, batch: Sequence[Entry]) -> None:
        me = self.group[name]
        settled = [Settled(e, outputs=[Output("OK", [b"of", e.id.encode()])]) for e in batch]
        if not self.holds(name):
            with pytest.raises(LeaseLost):
                me.committer.commit(settled, at_ms=1)
            return
        done = me.committer.commit(settled, at_ms=1)
        fresh = {entry.id for entry in batch} - self.settled
        assert (done.acknowledged, done.emitted) == (len(fresh), len(fresh))
        self.settled |= fresh
        for entry_id in fresh:
            del self.pending[entry_id]

    @rule(name=CONSUMERS)
    def lose_the_lease(self, name: str) -> None:
        """As when it slept: the key ran out, and the sleeper still believes in its token."""
        send(self.client, "DEL", self.group[name].lease.key)
        self.holder.pop(name, None)

    @rule(name=CONSUMERS)
    def crash(self, name: str) -> None:
        """As when it was killed and its lease ran out: memory and token are gone."""
        self.lose_the_lease(name)
        self.group[name] = consumer(self.client, name)

    @rule(name=CONSUMERS, other=CONSUMERS, count=st.integers(1, 4), alone=st.integers(0, 3))
    def claim(self, name: str, other: str, count: int, alone: int) -> None:
        claim = Claim(count=count, alone_beyond=alone, ordered=other == name)
        seen, found = self.group[name].reader.claim(other, "IN", claim)
        if other != name and other in self.holder:
            assert (seen, found) == (0, [])
            return
        theirs = [i for i in self.published if self.pending.get(i, ("", 0))[0] == other]
        seen_first = theirs[:count]
        if other != name:  # another's: those delivered least come first, so that no killer blocks
            seen_first.sort(key=lambda entry_id: self.pending[entry_id][1])
        expected = self._claimed(seen_first, alone)
        assert seen == len(seen_first)
        assert [(entry.id, entry.attempts) for entry in found] == expected
        self.pending |= {entry_id: (name, attempts) for entry_id, attempts in expected}
        known = {entry.id for entry in self.group[name].memory}
        self.group[name].memory += [entry for entry in found if entry.id not in known]

    @precondition(lambda self: self.pending)
    @rule(name=CONSUMERS, pick=st.integers(0, 5))
    def claim_from_somebody_who_has_something(self, name: str, pick: int) -> None:
        owners = sorted({owner for owner, _ in self.pending.values()})
        self.claim(name, owners[pick % len(owners)], 4, 2)

    def _claimed(self, theirs: list[str], alone: int) -> list[tuple[str, int]]:
        """In that order, each delivery counted; who was delivered often comes alone."""
        found: list[tuple[str, int]] = []
        for entry_id in theirs:
            delivered = self.pending[entry_id][1]
            if delivered > alone and found:
                break
            found.append((entry_id, delivered + 1))
            if delivered > alone:
                break
        return found

    @rule()
    def trim(self) -> None:
        before = self._ids("IN")
        trim(self.client, LANE, plan_trim(self.topology, "IN"))
        left = self._ids("IN")
        needed = [i for i in before if i in self.pending or i in self.unread]
        assert set(needed) <= set(left)
        assert left == (before[before.index(needed[0]) :] if needed else [])

    @rule()
    def forget_the_scripts(self) -> None:
        send(self.client, "SCRIPT FLUSH")

    @precondition(lambda self: self.pending)
    @rule()
    def settle_everything(self) -> None:
        """The others die, one lives, and nothing is left undone."""
        for name in NAMES:
            self.crash(name)
        self.take_the_lease("a", "itself")
        while self.unread:
            self.read("a", 5)
        for name in NAMES:
            while any(owner == name for owner, _ in self.pending.values()):
                self._take_and_settle(name)
        assert self._emitted() == sorted(self.published)

    def _take_and_settle(self, other: str) -> None:
        self.claim("a", other, 4, 3)
        me = self.group["a"]
        mine = [e for e in me.memory if self.pending.get(e.id, ("", 0))[0] == "a"]
        outputs = [Settled(e, outputs=[Output("OK", [b"of", e.id.encode()])]) for e in mine]
        me.committer.commit(outputs, at_ms=1)
        for entry in mine:
            del self.pending[entry.id]
            self.settled.add(entry.id)

    @invariant()
    def each_is_emitted_once_if_settled_and_never_else(self) -> None:
        assert self._emitted() == sorted(self.settled)

    @invariant()
    def the_server_knows_who_has_what(self) -> None:
        rows = send(self.client, "XPENDING", "IN", GROUP, "-", "+", 1000)
        found = {row[0].decode(): (row[1].decode(), row[3]) for row in rows}
        assert found == self.pending

    def _ids(self, key: str) -> list[str]:
        return [entry_id.decode() for entry_id, _ in send(self.client, "XRANGE", key, "-", "+")]

    def _emitted(self) -> list[str]:
        return sorted(f[1].decode() for _, f in send(self.client, "XRANGE", "OK", "-", "+"))


def check(client: Client, topology: Topology, examples: int, *phases: Phase) -> None:
    Delivery.client, Delivery.topology = client, topology
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Delivery,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=phases or (Phase.generate, Phase.shrink),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
