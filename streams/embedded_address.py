"""Where a running embedded server is, and what it says when it is asked there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from streams.connection import connect, translated
from streams.errors import DiskFull, ServerAway, StreamsError


class Address(BaseModel):
    """Where a running embedded server is; ``began`` as ``streams.living`` tells it."""

    pid: int
    port: int
    password: str
    began: int | None = None

    @property
    def url(self) -> str:
        """Its URL, password included: never log it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"


def told_by(address: Address) -> Mapping[str, Any]:
    """What a server tells of itself; nothing where none answers there, or another one."""
    client = connect(address.url, timeout_s=2.0)
    try:
        with translated():
            info: dict[str, Any] = client.info("server", "persistence")
    except StreamsError:
        return {}
    finally:
        client.close()
    return info if info.get("process_id") == address.pid else {}


def check_writable(address: Address, directory: Path) -> None:
    """Write one key, to learn now whether the append-only file takes writes.

    Raises DiskFull when it does not.
    """
    client = connect(address.url, timeout_s=5.0)
    try:
        with translated():
            client.incr("penstock:starts")
            info = client.info("persistence")
    except ServerAway as error:
        if "MISCONF" not in str(error):
            raise
        raise DiskFull(_disk_full(directory)) from error
    finally:
        client.close()
    if info.get("aof_last_write_status") != "ok":
        raise DiskFull(_disk_full(directory))


def _disk_full(directory: Path) -> str:
    return (
        f"the append-only file under {directory} cannot be written: the disk is full or read-only; "
        "make room, or choose another place with PENSTOCK_DATA_DIR"
    )
