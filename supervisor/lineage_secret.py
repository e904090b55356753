"""The key of the hash chain, for the verbs that check it or make it longer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.chain import ChainKey
    from lineage.store import LineageStore


def chain_key() -> "ChainKey":
    """The key that the workers of this configuration use.

    Raises CheckpointRefused when others can read the file of the state key.
    """
    from lineage.chain import ChainKey

    return ChainKey(secret())


@contextmanager
def opened_with_key() -> Iterator[tuple["LineageStore", "ChainKey"]]:
    """The configured store and the key, for the time of the block.

    Raises LineageError when the store cannot be opened.
    """
    from lineage.settings import LineageSettings
    from lineage.store import open_store

    with open_store(LineageSettings().store(secret())) as store:
        yield store, chain_key()


def secret() -> bytes:
    """What the chain and the hashes of ROE tokens are made with.

    Raises as ``chain_key``.
    """
    from lineage.settings import LineageSettings
    from streams.checkpoint import state_key
    from streams.settings import ServerSettings

    settings = ServerSettings()
    given = LineageSettings().secret(otherwise=b"")
    return given or state_key(settings.state_key.get_secret_value(), settings.data_dir)
