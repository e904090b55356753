"""A checkpoint is trusted only if it was sealed with our key and not changed since."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.checkpoint import Checkpoint, Header, Seal, state_key
from streams.errors import CheckpointRefused

SEAL = Seal(b"sixteen bytes ok")
CHECKPOINT = Checkpoint(Header(worker="w", settings="s", positions={"L3": "1-0"}), b"state\x00\xff")


def test_what_was_sealed_opens_again() -> None:
    assert SEAL.open(SEAL.close(CHECKPOINT)) == CHECKPOINT


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_is_found(place: int, change: int) -> None:
    blob = bytearray(SEAL.close(CHECKPOINT))
    blob[place % len(blob)] ^= change
    with pytest.raises(CheckpointRefused):
        SEAL.open(bytes(blob))


@given(st.binary(max_size=80))
def test_bytes_that_are_no_checkpoint_are_refused(blob: bytes) -> None:
    with pytest.raises(CheckpointRefused):
        SEAL.open(blob)


def test_another_key_opens_nothing() -> None:
    with pytest.raises(CheckpointRefused, match="another key"):
        Seal(b"another key of us").open(SEAL.close(CHECKPOINT))


def test_a_short_key_and_a_huge_state_are_refused() -> None:
    with pytest.raises(CheckpointRefused, match="16 bytes"):
        Seal(b"short")
    huge = Checkpoint(CHECKPOINT.header, bytes(64 * 1024 * 1024))
    with pytest.raises(CheckpointRefused, match="watch fewer keys"):
        SEAL.close(huge)


def test_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = state_key("", tmp_path / "data")
    assert state_key("", tmp_path / "data") == first
    assert len(first) == 64
    path = tmp_path / "data" / "state.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert state_key("from the environment", tmp_path) == b"from the environment"
    path.chmod(0o644)
    with pytest.raises(CheckpointRefused, match="chmod 600"):
        state_key("", tmp_path / "data")
