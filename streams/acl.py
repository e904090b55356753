"""The least that each role has to be allowed on the stream server, worked out from the topology.

A rule is a user with selectors: commands together with the keys that they may touch. A script has
to be allowed the keys that it is called with, for reading and writing, since the server cannot know
what it does with them; but each command inside it is checked against the caller's rules again. So
``EVAL`` opens no door that the other selectors leave shut.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from schemas.topology import Topology
from schemas.topology_graph import edges, exclusive, readers, reads
from schemas.topology_workers import DetectWorkerSettings, DriftWorkerSettings, GateSettings
from streams.backlog import high_waters
from streams.keys import PRESENCE, Lane
from streams.trim import keeps_state, trims_of

PLACEHOLDER = "#SHA256-OF-ITS-PASSWORD"
"""Stands where the password's digest belongs; the server refuses it, so none can be forgotten."""

_CONNECTING = ("client|setname",)
_SCRIPTS = ("eval", "evalsha")
_CONSUMING = (
    *("xgroup|create", "xgroup|delconsumer", "xreadgroup", "xack", "xpending", "xclaim"),
    *("xinfo|stream", "xinfo|consumers", "xrange"),
)
_TRIMMING = ("exists", "xinfo|groups", "xpending", "xlen", "xrange", "xtrim")
_HOLDING = ("exists", "get", "set", "pexpire", "del")
_BASELINES = ("xrevrange", "xadd", "xtrim", "type")
_LOOKING = ("xrange", "xrevrange", "xread", "xlen", "xinfo|stream", "xinfo|groups")


@dataclass(frozen=True, slots=True)
class Grant:
    """Commands on keys; ``keys`` are the server's patterns, such as ``~L3`` or ``%R~L3{*}``."""

    commands: tuple[str, ...]
    keys: tuple[str, ...]

    def __str__(self) -> str:
        allowed = " ".join([*(f"+{command}" for command in self.commands), *self.keys])
        return f"({allowed})"


@dataclass(frozen=True, slots=True)
class Role:
    """One user: what it is for, the commands it needs without a key, and those on keys."""

    user: str
    purpose: str
    commands: tuple[str, ...]
    grants: tuple[Grant, ...]

    def rules(self, secret: str = PLACEHOLDER) -> list[str]:
        """What stands behind ``ACL SETUSER <user>``; whatever the user had before is gone."""
        keyless = [f"+{command}" for command in self.commands]
        return ["reset", "on", secret, *keyless, *map(str, self.grants)]


def roles(topology: Topology) -> list[Role]:
    """Every role of a topology: its workers, who publishes, who reads, and who runs it."""
    return list(_Roles(topology).all())


class _Roles:
    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._lane = Lane(0, topology.lanes)
        clustered = ("cluster|slots", "asking") if topology.lanes > 1 else ()
        self._connecting = (*_CONNECTING, *clustered)
        self._sources = [n for n, s in topology.streams.items() if s.source]
        self._sinks = [n for n, s in topology.streams.items() if s.sink]

    def all(self) -> Iterator[Role]:
        for worker in self._topology.workers:
            yield self._worker(worker)
        for stream in self._sources:
            yield self._producer(stream)
            yield self._publisher(stream)
        for stream in self._sinks:
            yield self._reader(stream)
        yield self._supervisor()
        yield self._operator()
        yield self._console()
        yield self._doctor()
        yield self._replayer()

    def _keys(self, *keys: str, mode: str = "~") -> tuple[str, ...]:
        """Patterns of keys on every lane; each key was made for lane 0."""
        tag = self._lane.tag
        return tuple(
            mode + (key.replace(tag, "{*}") if tag else key) for key in dict.fromkeys(keys)
        )

    def _streams(self, names: Iterable[str], mode: str = "~") -> tuple[str, ...]:
        return self._keys(*(self._lane.stream(name) for name in names), mode=mode)

    def _worker(self, worker: str) -> Role:
        grants = (*self._flow(worker), *self._bookkeeping(worker))
        return Role(f"penstock-{worker}", f"worker {worker}", self._alone("time"), grants)

    def _flow(self, worker: str) -> Iterator[Grant]:
        """What a worker does to streams: read its own, write its own, trim what is done with."""
        topology, lane = self._topology, self._lane
        inputs, trimmed = reads(topology, worker), [t.stream for t in trims_of(topology, worker)]
        outputs = [edge.writes for edge in edges(topology) if edge.worker == worker]
        outputs += [topology.dead_letters, topology.lineage]
        books = [
            *(lane.lease(worker, "*"), lane.epoch, lane.counters),
            *(lane.checkpoint(worker), lane.positions(worker)),
            *self._floors(worker),
            *self._seen(worker),
            *self._baselines(worker),
            PRESENCE,
        ]
        streams = map(lane.stream, (*inputs, *outputs, *trimmed))
        yield Grant(_SCRIPTS, self._keys(*streams, *books))
        waiting = ("xread",) if exclusive(topology.workers[worker]) else ()
        yield Grant((*_CONSUMING, *waiting), self._streams(inputs))
        yield Grant(_TRIMMING, self._streams(trimmed))
        yield Grant(("xadd", "type"), self._streams(outputs, "%W~"))

    def _bookkeeping(self, worker: str) -> Iterator[Grant]:
        lane = self._lane
        stateful = keeps_state(self._topology, worker)
        yield Grant(_HOLDING, self._keys(lane.lease(worker, "*")))
        yield Grant(("incr",), self._keys(lane.epoch))
        yield Grant(("hincrby",), self._keys(lane.counters))
        yield Grant(("hset", "hdel", "hgetall"), self._keys(PRESENCE))
        places = ("hgetall", "hset") if stateful else ("hgetall",)
        yield Grant(places, self._keys(lane.positions(worker)))
        if stateful:
            yield Grant(("get", "set"), self._keys(lane.checkpoint(worker)))
            yield Grant(("xrange",), self._streams([self._topology.dead_letters], "%R~"))
        if self._floors(worker):
            yield Grant(("hget",), self._keys(*self._floors(worker), mode="%R~"))
        if self._seen(worker):
            yield Grant(("get", "set", "del"), self._keys(*self._seen(worker)))
        if self._baselines(worker):
            yield Grant(_BASELINES, self._keys(*self._baselines(worker)))

    def _floors(self, worker: str) -> list[str]:
        """Positions of the stateful workers that a trim waits for."""
        trims = trims_of(self._topology, worker)
        return [self._lane.positions(group) for trim in trims for group in trim.stateful]

    def _seen(self, worker: str) -> list[str]:
        """What is remembered of the producers' ids: gates alone look at it."""
        if not isinstance(self._topology.workers[worker], GateSettings):
            return []
        return [self._lane.seen(self._lane.stream(s), "*") for s in reads(self._topology, worker)]

    def _baselines(self, worker: str) -> list[str]:
        """Of the streams whose drift a worker looks for: it sets the first and follows the rest."""
        settings = self._topology.workers[worker]
        if not isinstance(settings, DriftWorkerSettings | DetectWorkerSettings):
            return []
        return [self._lane.baseline(stream) for stream in settings.watch]

    def _alone(self, *commands: str) -> tuple[str, ...]:
        return (*self._connecting, *commands)

    def _producer(self, stream: str) -> Role:
        grants = (Grant(("xadd",), self._streams([stream], "%W~")),)
        return Role(f"producer-{stream}", f"any client that adds to {stream}", _CONNECTING, grants)

    def _publishing(self, streams: Sequence[str]) -> Iterator[Grant]:
        lane = self._lane
        seen = [lane.seen(lane.stream(stream), "*") for stream in streams]
        yield Grant(_SCRIPTS, self._keys(*map(lane.stream, streams), *seen))
        yield Grant(("xadd",), self._streams(streams, "%W~"))
        yield Grant(("get", "set", "pexpire"), self._keys(*seen))
        marked = [stream for stream in streams if stream in high_waters(self._topology)]
        if marked:
            yield Grant(("xlen", "xinfo|groups"), self._streams(marked, "%R~"))

    def _publisher(self, stream: str) -> Role:
        purpose = f"Python's Publisher to {stream}, idempotent by id"
        grants = tuple(self._publishing([stream]))
        return Role(f"publisher-{stream}", purpose, self._alone("wait"), grants)

    def _reader(self, stream: str) -> Role:
        grants = (Grant(_LOOKING, self._streams([stream], "%R~")),)
        return Role(f"reader-{stream}", f"who reads {stream}", self._connecting, grants)

    def _observing(self) -> Iterator[Grant]:
        yield Grant(("hgetall", "hdel"), self._keys(PRESENCE))
        yield Grant(("hgetall",), self._keys(self._lane.counters, mode="%R~"))

    def _supervisor(self) -> Role:
        lane = self._lane
        leases = [lane.lease(worker, "*") for worker in self._topology.workers]
        own = [self._topology.supervisor] if self._topology.supervisor else []
        grants = (
            *self._observing(),
            Grant(("xlen", "xinfo|stream", "xinfo|groups", "xinfo|consumers"), self._all_streams()),
            Grant(_SCRIPTS, self._keys(*leases, lane.epoch, *map(lane.stream, own))),
            Grant(("get", "del"), self._keys(*leases)),
            *([Grant((*_TRIMMING, "xadd"), self._streams(own))] if own else []),
        )
        purpose = "penstock up: how all stands, and the leases of processes that died"
        alone = self._alone("info", *["time"] * len(own))
        return Role("penstock-supervisor", purpose, alone, grants)

    def _operator(self) -> Role:
        topology = self._topology
        gates = [w for w in topology.workers.values() if isinstance(w, GateSettings)]
        quarantines = dict.fromkeys([*(g.rejects_to for g in gates), topology.dead_letters])
        targets = [name for name in topology.streams if readers(topology, name)]
        lineage, baselines = topology.lineage, self._keys(self._lane.baseline("*"))
        grants = (
            *self._observing(),
            *self._publishing(self._sources),
            Grant((*_LOOKING, "memory|usage"), self._all_streams()),
            Grant(_SCRIPTS, (*self._streams([*quarantines, *targets, lineage]), *baselines)),
            Grant(("xadd", "type"), self._streams([*targets, lineage], "%W~")),
            Grant(("xdel",), self._streams(quarantines, "%W~")),
            Grant(_BASELINES, baselines),
        )
        purpose = "the other verbs of penstock: look, publish, release, drop, and set baselines"
        return Role("penstock-operator", purpose, self._alone("info", "wait"), grants)

    def _console(self) -> Role:
        """The supervisor's and the operator's together, since the console acts for operators."""
        both = (self._supervisor(), self._operator())
        alone = dict.fromkeys(command for role in both for command in role.commands)
        purpose = "penstock up where its console is to show messages, to release and to drop"
        grants = tuple(dict.fromkeys(grant for role in both for grant in role.grants))
        return Role("penstock-console", purpose, tuple(alone), grants)

    def _doctor(self) -> Role:
        """Reads what the server says of itself and the names of all keys, and no message.

        Not CONFIG GET and ACL GETUSER: they tell passwords and what they can be guessed from.
        """
        lane = self._lane
        leases = [lane.lease(worker, "*") for worker in self._topology.workers]
        ours = self._all_streams()
        grants = (
            *self._observing(),
            Grant(("type", "xlen", "xinfo|stream", "xinfo|groups", "xinfo|consumers"), ours),
            Grant(("exists",), self._keys(*leases, mode="%R~")),
        )
        asking = ("info", "time", "scan", "acl|whoami")
        clustered = ("cluster|info",) if self._topology.lanes > 1 else ()
        purpose = "penstock doctor: look at the server, at groups and at keys"
        return Role("penstock-doctor", purpose, self._alone(*asking, *clustered), grants)

    def _replayer(self) -> Role:
        """Apart from the operator, since it may write to every stream that a worker writes to."""
        topology = self._topology
        written = dict.fromkeys([*(way.writes for way in edges(topology)), topology.lineage])
        grants = (
            Grant(_LOOKING, self._all_streams()),
            Grant(_SCRIPTS, self._streams(written)),
            Grant(("xadd", "type"), self._streams(written, "%W~")),
        )
        purpose = "penstock replay: look, and publish what differs in the place of what was there"
        return Role("penstock-replay", purpose, self._alone("info"), grants)

    def _all_streams(self) -> tuple[str, ...]:
        return self._streams(self._topology.streams, "%R~")
