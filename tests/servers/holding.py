"""Who holds a lease, reads and commits by hand, as a worker's loop would."""

from streams.commit import Committer
from streams.connection import Client, send
from streams.entry import Entry, Output, Settled
from streams.keys import Lane
from streams.lease import Lease
from streams.reader import Reader

LANE = Lane()
AUTHOR = {
    "worker": "gate",
    "worker_kind": "gate",
    "worker_version": "1",
    "host": "here",
    "run": "r",
}


def holder(client: Client, consumer: str) -> tuple[Lease, Reader, Committer]:
    lease = Lease(client, LANE, "gate", consumer, 10.0)
    assert lease.acquire(consumer)
    reader = Reader(client, LANE, "gate", consumer, ["IN"])
    reader.ensure_groups()
    committer = Committer(
        client, LANE, "gate", lease, author=AUTHOR, lineage="LINEAGE", remember_s=60.0
    )
    return lease, reader, committer


def forward(entry: Entry) -> Settled:
    return Settled(entry, outputs=[Output("OK", entry.fields, {"parents": [entry.uid]})])


def add(client: Client, count: int) -> None:
    for i in range(count):
        send(client, "XADD", "IN", "*", "data", str(i))
