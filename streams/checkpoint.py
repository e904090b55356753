"""Sealed checkpoints: a worker's state, authenticated before it is trusted.

Layout, big-endian: ``b"PSCP"``, format version (1 byte), HMAC-SHA256 over all that follows (32
bytes), length of the header (4 bytes), header (JSON), state (bytes as the worker packed them).
The header names the worker, the digest of its settings, and the position of each stream.
"""

import hmac
import os
import secrets
import struct
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from streams.errors import CheckpointRefused

_MAGIC = b"PSCP\x01"
_MOST_BYTES = 64 * 1024 * 1024

NOTHING = "0-0"
"""What a checkpoint contains of a stream that began anew after it: an id before every entry's."""


class Header(BaseModel):
    """What a checkpoint says of itself; ``positions`` maps stream keys to entry ids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker: str
    settings: str
    positions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state, and the last entry of each stream that it contains."""

    header: Header
    state: bytes


@dataclass(frozen=True, slots=True)
class Places:
    """What the server knows of a stateful worker, by stream key, each an entry id.

    ``positions`` are the entries committed last. ``floors`` are those that the checkpoint contains
    last, which trimming relies on; ``NOTHING``: none since the stream began anew.
    """

    positions: dict[str, str]
    floors: dict[str, str]


class Seal:
    """Seals and opens checkpoints with one secret key of at least 16 bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise CheckpointRefused("the state key is too short; give it 16 bytes or more")
        self._key = key

    def close(self, checkpoint: Checkpoint) -> bytes:
        """The sealed bytes.

        Raises CheckpointRefused for a state of more than 64 MiB, which bounds what a worker can
        put on the server.
        """
        header = checkpoint.header.model_dump_json().encode()
        body = struct.pack(">I", len(header)) + header + checkpoint.state
        if len(body) > _MOST_BYTES:
            raise CheckpointRefused(
                f"the state of worker {checkpoint.header.worker!r} has {len(body):,} bytes, "
                f"more than {_MOST_BYTES:,}; watch fewer keys or fields"
            )
        return _MAGIC + self._mac(body) + body

    def open(self, blob: bytes) -> Checkpoint:
        """Check and open sealed bytes.

        Raises CheckpointRefused when they are of another format, too large, or were not sealed
        with this key; nothing in them is interpreted before that is known.
        """
        start = len(_MAGIC) + 32
        if len(blob) < start + 4 or not blob.startswith(_MAGIC):
            raise CheckpointRefused("this is no checkpoint, or one of another format version")
        body = blob[start:]
        if len(body) > _MOST_BYTES:
            raise CheckpointRefused(f"the checkpoint has more than {_MOST_BYTES:,} bytes")
        if not hmac.compare_digest(blob[len(_MAGIC) : start], self._mac(body)):
            raise CheckpointRefused("the checkpoint was sealed with another key, or was changed")
        (length,) = struct.unpack(">I", body[:4])
        try:
            header = Header.model_validate_json(body[4 : 4 + length])
        except ValidationError as error:
            raise CheckpointRefused(f"the checkpoint's header is malformed: {error}") from error
        return Checkpoint(header, body[4 + length :])

    def _mac(self, body: bytes) -> bytes:
        return hmac.new(self._key, body, sha256).digest()


def state_key(configured: str, data_dir: Path) -> bytes:
    """The key that authenticates checkpoints: the configured one, or one kept in a file.

    The file ``state.key`` under ``data_dir`` is made where it is missing, readable by its owner
    alone. All workers of one pipeline need the same key.

    Raises CheckpointRefused when others can read the file.
    """
    if configured:
        return configured.encode()
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / "state.key"
    draft = path.with_name(f"state.key.{os.getpid()}.{secrets.token_hex(4)}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_hex(32))
        try:
            os.link(draft, path)  # whoever is first wins; the others read what it wrote
        except FileExistsError:
            return path.read_bytes()
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise CheckpointRefused(f"others can read the state key {path}; run: chmod 600 {path}")
    return path.read_bytes()
