"""A client for Redis Cluster and Valkey Cluster that never sends a command twice.

redis-py's own cluster client repeats commands after connection errors unless told not to, which
would strand the entries of a lost ``XREADGROUP`` reply, and asks the server twice for the keys of
every ``XREADGROUP``. All that one command of ours touches lies in one slot, by its lane's tag, so
its first key names its node; that, ``MOVED`` and ``ASK`` are all there is to it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from redis import Redis, exceptions
from redis.connection import ConnectionPool
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from streams.errors import ServerRefused, StreamsError

Address = tuple[str, int]
"""Host and port of a node."""

SCHEMES: Mapping[str, str] = {"redis+cluster": "redis", "rediss+cluster": "rediss"}
"""From the scheme of a cluster's URL to the one of a single node's."""

_MOST_REDIRECTIONS = 8
_KEYLESS = frozenset(
    ("PING", "INFO", "TIME", "ACL", "CLUSTER", "SCRIPT", "CONFIG", "CLIENT", "COMMAND", "WAIT")
)


class ClusterClient(Redis):
    """A ``Redis`` client whose commands go to the node that serves their first key.

    ``urls`` name some nodes, one is enough; the others are learnt from them. ``MOVED`` and
    ``ASK`` are followed, since a node that answers so has done nothing. After a connection error
    the command is not repeated; the next one asks again which node serves what.
    """

    def __init__(self, urls: Iterable[str], **options: Any) -> None:
        seeds = [ConnectionPool.from_url(url, **options) for url in urls]
        super().__init__(connection_pool=seeds[0])
        self.set_response_callback("CLUSTER SLOTS", lambda reply, **_: reply)
        self._like = seeds[0]
        self._seeds = [_address(pool.connection_kwargs) for pool in seeds]
        self._nodes: dict[Address, Redis] = {}
        self._owners: list[Address | None] = []
        self._lock = threading.RLock()

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command to its node and return the reply, as ``Redis`` does.

        Raises ConnectionError when the node does not answer or redirects without end; in the
        first case it is unknown whether the command was done.
        """

        def ask(node: Redis, asking: bool) -> Any:
            if not asking:
                return node.execute_command(*args, **options)  # type: ignore[no-untyped-call]
            return on_one_connection(node, ("ASKING",), args, **options)[-1]

        return self.redirected(args, ask)

    def redirected(self, args: tuple[Any, ...], ask: Callable[[Redis, bool], Any]) -> Any:
        """Let ``ask`` send a command to the node that serves it, wherever that turns out to be.

        ``ask`` gets a client of the node, and whether ``ASKING`` has to come first.
        """
        slot = slot_of(args)
        address, asking = self._owner(slot), False
        for _ in range(_MOST_REDIRECTIONS):
            try:
                return ask(self._node(address), asking)
            except exceptions.AskError as error:
                address = (error.host or address[0], int(error.port))
                asking = not isinstance(error, exceptions.MovedError)
                if slot is not None and not asking:
                    self._moved(slot, address)
            except (exceptions.ConnectionError, exceptions.TimeoutError, OSError):
                self._forget(address)
                raise
            except exceptions.ClusterDownError:
                self._forget()
                raise
        raise exceptions.ConnectionError(f"the nodes redirect {args[0]} round in a circle")

    def pipeline(self, *_: Any, **__: Any) -> Any:
        """Not to be had: the commands of a pipeline may belong to different nodes."""
        raise StreamsError("a cluster takes no pipeline: use a script, or the client of one node")

    def close(self) -> None:
        """Close the connections to all nodes."""
        with self._lock:
            nodes, self._nodes = list(self._nodes.values()), {}
        for node in nodes:
            node.close()
        super().close()

    def node_of(self, key: str) -> Redis:
        """A client of the one node that serves a key now."""
        address = self._owner(key_slot(key.encode()))
        return self._node(address)

    def serving(self, command: tuple[Any, ...]) -> Redis:
        """A client of the one node that serves a command's first key now."""
        return self._node(self._owner(slot_of(command)))

    def relearn(self) -> None:
        """Ask anew who serves what before the next command."""
        self._forget()

    def _owner(self, slot: int | None) -> Address:
        owners = self._owners or self._learn()
        if slot is None:
            return next(address for address in owners if address is not None)
        found = owners[slot]
        if found is None:
            self._forget()
            raise exceptions.ClusterDownError("CLUSTERDOWN no node serves the slot")
        return found

    def _moved(self, slot: int, address: Address) -> None:
        owners = self._owners
        if owners:
            owners[slot] = address

    def _forget(self, address: Address | None = None) -> None:
        """Ask anew who serves what before the next command; the node that failed comes last."""
        with self._lock:
            self._owners = []
            if address is not None and address in self._nodes:
                self._nodes[address] = self._nodes.pop(address)

    def _learn(self) -> list[Address | None]:
        """Ask the nodes, one after another, who serves what.

        Raises the last node's error when none answers.
        """
        with self._lock:
            if self._owners:
                return self._owners  # another thread has asked meanwhile
            fault: Exception = exceptions.ConnectionError("no node of the cluster is known")
            for address in list(dict.fromkeys([*self._nodes, *self._seeds])):
                try:
                    reply = self._node(address).execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
                except (exceptions.ConnectionError, exceptions.TimeoutError, OSError) as error:
                    fault = error
                    continue
                self._owners = _owners(reply, address)
                if any(self._owners):
                    return self._owners
                fault, self._owners = exceptions.ClusterDownError("CLUSTERDOWN no slots"), []
            raise fault

    def _node(self, address: Address) -> Redis:
        with self._lock:
            if address not in self._nodes:
                host, port = address
                settings = self._like.connection_kwargs | {"host": host, "port": port}
                pool = ConnectionPool(
                    connection_class=self._like.connection_class,
                    max_connections=self._like.max_connections,
                    **settings,
                )
                node = Redis(connection_pool=pool)
                node.response_callbacks = self.response_callbacks
                self._nodes[address] = node
            return self._nodes[address]


def on_one_connection(node: Redis, *commands: tuple[Any, ...], **options: Any) -> list[Any]:
    """Send commands one after another on the same connection; return their replies."""
    connection: Any = node.connection_pool.get_connection()
    try:
        replies = []
        for command in commands:
            connection.send_command(*command)
            replies.append(node.parse_response(connection, command[0], **options))  # type: ignore[no-untyped-call]
    except (exceptions.ConnectionError, exceptions.TimeoutError, OSError):
        connection.disconnect()
        raise
    else:
        return replies
    finally:
        node.connection_pool.release(connection)


def seeds_of(url: str) -> list[str]:
    """A URL for each node that a cluster's URL names.

    >>> seeds_of("redis+cluster://u:pw@a:7000,b:7001")
    ['redis://u:pw@a:7000', 'redis://u:pw@b:7001']
    """
    scheme, _, rest = url.partition("://")
    user, at, places = rest.rpartition("@")
    places, mark, query = places.partition("?")
    hosts = places.partition("/")[0].split(",")
    return [f"{SCHEMES[scheme]}://{user}{at}{host}{mark}{query}" for host in hosts]


def slot_of(command: tuple[Any, ...]) -> int | None:
    """The slot of a command's first key; None for one that any node can answer.

    >>> slot_of(("XADD", "L3{2}", "*")) == slot_of(("EVALSHA", "digest", 1, "OUT{2}"))
    True
    """
    name = str(command[0]).upper()
    if name.partition(" ")[0] in _KEYLESS:
        return None
    if name in ("EVAL", "EVALSHA"):
        place = 3 if int(command[2]) else len(command)
    elif name in ("XREAD", "XREADGROUP"):
        place = command.index("STREAMS") + 1
    else:
        place = 1
    if place >= len(command):
        return None
    key = command[place]
    return key_slot(key if isinstance(key, bytes) else str(key).encode())


def together(client: Redis, keys: Iterable[str]) -> list[list[str]]:
    """Keys in groups, each of which one command may name: all at once, or by slot in a cluster."""
    if not isinstance(client, ClusterClient):
        return [list(keys)]
    groups: dict[int, list[str]] = {}
    for key in keys:
        groups.setdefault(key_slot(key.encode()), []).append(key)
    return list(groups.values())


def check_lanes(client: Redis, lanes: int) -> None:
    """Refuse a topology whose commits would touch several slots.

    Raises ServerRefused for one lane on a cluster: its keys are bare, and so all over the place.
    """
    if lanes == 1 and isinstance(client, ClusterClient):
        raise ServerRefused(
            "the stream server is a cluster, and the topology has one lane, whose keys carry no "
            "hash tag; set 'lanes' to 2 or more, or use a single server"
        )


def _address(settings: Mapping[str, Any]) -> Address:
    return str(settings.get("host", "localhost")), int(settings.get("port", 6379))


def _owners(reply: Any, asked: Address) -> list[Address | None]:
    """From the reply of ``CLUSTER SLOTS`` to the master of each slot."""
    found: list[Address | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
    for first, last, master, *_ in reply:
        host = (master[0] or b"").decode()
        address = (asked[0] if host in ("", "?") else host, int(master[1]))
        found[first : last + 1] = [address] * (last - first + 1)
    return found
