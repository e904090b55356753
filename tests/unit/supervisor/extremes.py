"""What nobody can mean by a number, a span, a date or an id; and a server that holds nothing."""

import re
from typing import Any

from redis.exceptions import ResponseError

from tests.servers.pipeline import SMALL

LONG = "9" * 5_000  # more digits than Python turns into a number
BEYOND = str(2**64)
CENTURIES = "99999999999999h"
EXTREMES = (
    *("0", "-1", str(2**31), str(2**63), BEYOND, str(10**30), LONG, "1e9", "1e400", "nan", "inf"),
    *("", "१२", "²", "x" * 10_000, "\0", "\N{PILE OF POO}", "ODD", "ODD/", "IN,IN"),
    *("0-0", "-", "+", "1-", "ODD/1-", "IN{9}/1-0", f"ODD/{BEYOND}-0", f"ODD/1-{BEYOND}"),
    *(f"IN/{LONG}-0", "IN/१-१", "ODD/18446744073709551615-18446744073709551615"),
    *(CENTURIES, f"{LONG}h", "36500d", "0001-01-01", "9999-12-31T23:59:59-23:59"),
)

TREE: dict[str, Any] = {
    **SMALL,
    "streams": {
        **SMALL["streams"],
        "LINEAGE": {"schema": "schemas:LineageRecord"},
        "ODD": {"schema": "schemas:AnomalyEvent", "sink": True},
    },
    "workers": {
        **SMALL["workers"],
        "odd": {
            "kind": "anomaly",
            "watch": {"OK": {"fields": ["measurements.*"]}},
            "writes": "ODD",
        },
        "graph": {"kind": "lineage"},
    },
}
_PLACE = re.compile(r"[-+]|\(?(\d{1,20})(?:-(\d{1,20}))?", re.ASCII)


class Empty:
    """A server without an entry; it refuses the ids and counts that a real one refuses."""

    def __enter__(self) -> "Empty":
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to close."""

    def execute_command(self, command: str, *asked: Any) -> Any:
        if command.startswith("XINFO"):
            raise ResponseError("no such key")
        if command in ("XRANGE", "XREVRANGE"):
            _refuse(*asked[1:3], count=asked[4] if asked[3:] else 1)
        return {"HGETALL": {}, "XLEN": 0}.get(command, [])


def _refuse(*places: str, count: int) -> None:
    for found in map(_PLACE.fullmatch, places):
        if found is None or any(int(part or 0) >= 2**64 for part in found.groups()):
            raise ResponseError("ERR Invalid stream ID specified as stream command argument")
    if count >= 2**63:
        raise ResponseError("ERR value is not an integer or out of range")
