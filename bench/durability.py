"""What a stream server loses of what it had acknowledged, when it dies. Prints a table.

``python -m bench.durability [ROUNDS]``. *Killed*: the server's process gets SIGKILL while one
client appends as fast as it can; after the restart, acknowledged entries that are missing are
counted. *Not on disk*: how long after its acknowledgement an entry is known to be synced to disk
(``WAITAOF``, which Redis 7.0 lacks): what a crash of the whole machine may lose.
"""

import random
import sys
import threading
import time
from statistics import median

from streams.connection import connect, send
from streams.errors import StreamsError
from tests.servers.stream_server import StreamServer, running

SEED = 20_240_501


def appended_until_it_dies(server: StreamServer, found: list[str]) -> None:
    """Append entries as fast as one client can; ``found`` gets the ids that were acknowledged."""
    with connect(server.url, timeout_s=2.0) as client:
        try:
            while True:
                found.append(send(client, "XADD", "S", "*", "data", "x" * 200).decode())
        except StreamsError:
            return


def killed(kind: str, appendfsync: str, rounds: int) -> tuple[int, int]:
    """Entries acknowledged, and those of them that were gone afterwards."""
    rng, acknowledged, lost = random.Random(SEED), 0, 0
    pause = threading.Event()
    with running(kind, appendfsync=appendfsync) as server:
        for _ in range(rounds):
            found: list[str] = []
            writer = threading.Thread(target=appended_until_it_dies, args=(server, found))
            writer.start()
            pause.wait(rng.uniform(0.3, 1.6))
            server.kill()
            writer.join()
            server.start()
            with server.client() as client:
                kept = {i.decode() for i, _ in send(client, "XRANGE", "S", "-", "+")}
                send(client, "DEL", "S")
            acknowledged += len(found)
            lost += len(set(found) - kept)
    return acknowledged, lost


def not_on_disk_s(appendfsync: str, rounds: int) -> list[float]:
    """Seconds between an entry's acknowledgement and its being on disk, under load."""
    rng, took_s = random.Random(SEED), []
    with running("valkey", appendfsync=appendfsync) as server, server.client() as client:
        writer = threading.Thread(target=appended_until_it_dies, args=(server, []))
        writer.start()
        for _ in range(rounds):
            threading.Event().wait(rng.uniform(0.0, 0.3))
            send(client, "XADD", "S", "*", "data", "x")
            at_s = time.monotonic()
            send(client, "WAITAOF", 1, 0, 5000)
            took_s.append(time.monotonic() - at_s)
        server.kill()
        writer.join()
    return took_s


def main() -> None:
    """Measure and print."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    print("server   appendfsync  kills  acknowledged  lost")
    for kind in ("valkey", "redis"):
        for appendfsync in ("everysec", "always"):
            acknowledged, lost = killed(kind, appendfsync, rounds)
            print(f"{kind:8} {appendfsync:12} {rounds:5} {acknowledged:13,} {lost:5}")
    print("not on disk yet, seconds after the acknowledgement (valkey)")
    for appendfsync in ("everysec", "always"):
        took_s = not_on_disk_s(appendfsync, rounds)
        print(f"{appendfsync:12} median {median(took_s):.3f}  most {max(took_s):.3f}")


if __name__ == "__main__":
    main()
