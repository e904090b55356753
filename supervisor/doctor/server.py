"""Checks of the stream server: version, persistence, memory, users, clock, and its cluster."""

from collections.abc import Iterator

from streams.cluster import check_lanes
from streams.condition import clock_ahead_s, info, is_open, setting, slots, user
from streams.connection import Client, greet
from streams.errors import ServerRefused
from supervisor.doctor.finding import Finding, Patient, fault, notice, ok, warning

_SKEW_S = 0.1
_ALL_SLOTS = 16_384
_ROOM = 0.8


def version(patient: Patient) -> Iterator[Finding]:
    """Whether each server answers and is new enough."""
    for place, server in patient.servers.items():
        try:
            yield ok(f"{greet(server)} at {place}")
        except ServerRefused as error:
            yield fault(f"{place}: {error}", "upgrade the server to Redis 7.0 or Valkey 8.0")


def persistence(patient: Patient) -> Iterator[Finding]:
    """Whether what is published survives the end of the server."""
    for place, server in patient.servers.items():
        said = info(server, "persistence")
        yield from _writes(place, said)
        if not said["aof_enabled"]:
            yield _without_log(place, server)
            continue
        sync = setting(server, "appendfsync")
        if sync is None:
            remedy = "ask as a user with +config|get, or CONFIG GET appendfsync"
            yield notice(f"{place}: append-only file; how often it syncs cannot be seen", remedy)
        elif sync == "no":
            yield warning(
                f"{place}: appendfsync is no; a crash of the machine may lose half a minute",
                "CONFIG SET appendfsync everysec (or always, which loses nothing)",
            )
        else:
            most = "nothing" if sync == "always" else "at most a second"
            yield ok(f"{place}: append-only file, {sync}; a crash loses {most}")


def _without_log(place: str, server: Client) -> Finding:
    remedy = "CONFIG SET appendonly yes, and write it into the server's configuration file"
    if setting(server, "save") != "":
        lost = "what came since the last snapshot is lost when the server ends"
        return warning(f"{place}: no append-only file; {lost}", remedy)
    return fault(f"{place}: nothing is written to disk; all is lost when it ends", remedy)


def _writes(place: str, said: dict[str, object]) -> Iterator[Finding]:
    for name in ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status"):
        if said.get(name, "ok") != "ok":
            yield fault(
                f"{place}: {name} is {said[name]}; the server cannot write to its disk",
                "see the server's log and the room on its disk",
            )


def memory(patient: Patient) -> Iterator[Finding]:
    """Whether the server would rather refuse writes than drop keys, and has room left."""
    for place, server in patient.servers.items():
        said = info(server, "memory")
        policy = said["maxmemory_policy"]
        most, used = int(said["maxmemory"]), int(said["used_memory"])
        if policy != "noeviction":
            told = fault if most else warning
            yield told(
                f"{place}: maxmemory-policy is {policy}; at maxmemory messages would be dropped",
                "CONFIG SET maxmemory-policy noeviction, and in the configuration file",
            )
        if not most:
            yield notice(
                f"{place}: no maxmemory; it may take all memory of its machine",
                "CONFIG SET maxmemory to what the machine can spare",
            )
        elif used > _ROOM * most:
            told = fault if used >= most else warning
            yield told(
                f"{place}: {used / most:.0%} of its {most:,} bytes are used",
                "see 'penstock top' for what is large; shorten retention, or raise maxmemory",
            )
        elif policy == "noeviction":
            yield ok(f"{place}: noeviction, {used / most:.0%} of {most:,} bytes used")


def users(patient: Patient) -> Iterator[Finding]:
    """Whether the server lets in only whom it should."""
    remedy = "make users of 'penstock acl', then ACL SETUSER default off"
    for place, server in patient.servers.items():
        name = user(server)
        if is_open(server):
            bound = setting(server, "bind")
            local = bool(bound) and all(map(_is_loopback, (bound or "").split()))
            told = warning if local or bound is None else fault
            yield told(f"{place}: anybody who reaches it may do anything, without password", remedy)
        elif name == "default":
            said = f"{place}: we are its user 'default', who may do anything"
            yield notice(said, "make users that may do what they must, of 'penstock acl'")
        else:
            yield ok(f"{place}: we are {name!r}, and 'default' needs a password or is off")


def _is_loopback(address: str) -> bool:
    return address.lstrip("-") in ("127.0.0.1", "::1", "localhost")


def clock(patient: Patient) -> Iterator[Finding]:
    """Whether the server's clock agrees with ours: ids carry the server's time."""
    lease_s = patient.topology.delivery.lease
    for place, server in patient.servers.items():
        ahead_s = clock_ahead_s(server, patient.now_s)
        way = "ahead of" if ahead_s > 0 else "behind"
        said = f"{place}: its clock is {abs(ahead_s):.2f} s {way} ours"
        remedy = "let NTP keep both clocks: chronyc tracking, or timedatectl"
        if abs(ahead_s) >= lease_s:
            yield fault(f"{said}, and a lease lasts {lease_s:g} s", remedy)
        elif abs(ahead_s) >= _SKEW_S:
            yield warning(f"{said}, so delays are told wrong by as much", remedy)
        else:
            yield ok(said)


def cluster(patient: Patient) -> Iterator[Finding]:
    """Whether all slots of a cluster are served, and the lanes fit it."""
    found = slots(patient.client)
    if found is None:
        yield ok("a single server, no cluster")
        return
    try:
        check_lanes(patient.client, patient.topology.lanes)
    except ServerRefused as error:
        yield fault(str(error), "set 'lanes' in the topology file to 2 or more")
    whole, served = found
    if whole and served == _ALL_SLOTS:
        yield ok(f"all {served:,} slots are served by {len(patient.servers)} masters of ours")
    else:
        said = f"the cluster is not whole: {served:,} of {_ALL_SLOTS:,} slots are served"
        yield fault(said, "bring its missing masters back: redis-cli --cluster check HOST:PORT")
