"""A writer of the lineage store that is killed with -9, again and again, while it writes."""

import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from lineage.chain import ChainKey
from lineage.store import StoreSettings, open_store
from lineage.verify import verify

ROOT = Path(__file__).parents[2]
SECRET = b"the key of the killed writers"
OUTPUTS = 20
WRITER = """
import sys
from lineage.store import StoreSettings, open_store
from tests.servers.lineage_records import commit, output
url, start, secret = sys.stdin.readline().strip(), int(sys.argv[1]), sys.argv[2].encode()
with open_store(StoreSettings(url, chain_key=secret)) as store:
    for at in range(start, 10**9):
        outs = (output("L3", f"L3_IN/{at}-{n}", f"L3_IN/{at}-{n + 1}") for n in range(20))
        store.write([commit(at, *outs)])
        print(at, flush=True)
"""


@dataclass(frozen=True, slots=True)
class Killed:
    """What became of it: how often the writer was killed, and what the store had at the end.

    ``told`` commits were reported as written; ``lost`` of them are missing. ``doubled`` is how
    many nodes and edges there are beyond those of the commits that are there.
    """

    kills: int
    told: int
    commits: int
    lost: int
    doubled: int
    faults: int


def kill_writer(url: str, kills: int, seed: int = 1) -> Killed:
    """Kill a writer so many times; each one that follows delivers the last three commits again."""
    chance, told = random.Random(seed), 0
    for _ in range(kills):
        told = max(told, _write_until_killed(url, max(1, told - 2), chance.randrange(1, 24)))
    with open_store(StoreSettings(url)) as store:
        counts = store.counts()
        found = verify(store, ChainKey(SECRET))
    commits = counts["activities"]
    doubled = sum(abs(counts[name] - commits * each) for name, each in EACH.items())
    linked = found.heads["LINEAGE"][0]
    lost = max(0, told - min(commits, linked))
    return Killed(kills, told, commits, lost, doubled, len(found.faults))


EACH = {
    "entities": 2 * OUTPUTS + 1,
    "generated_by": OUTPUTS,
    "derived_from": 2 * OUTPUTS,
    "used": OUTPUTS + 1,
    "associated_with": 1,
}
"""How many nodes and edges one commit makes."""


def _write_until_killed(url: str, start: int, lines: int) -> int:
    """Kill -9 a writer after so many commits; gives the number of the last it told of."""
    command = [sys.executable, "-c", WRITER, str(start), SECRET.decode()]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdin.write(f"{url}\n")
        writer.stdin.flush()
        told = [int(writer.stdout.readline()) for _ in range(lines)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().split()]
    return told[-1]
