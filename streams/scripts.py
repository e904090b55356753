"""Server-side scripts: loaded once, called by digest, loaded again when the server forgot them."""

from functools import cache, partial
from hashlib import sha1
from importlib.resources import files
from typing import Any

from streams.connection import Client, send
from streams.errors import ScriptMissing
from streams.in_flight import InFlight
from streams.replicas import NO_COPIES, Copies, send_and_wait


@cache
def _source(name: str) -> tuple[bytes, str]:
    text = files("streams").joinpath(f"{name}.lua").read_bytes()
    return text, sha1(text, usedforsecurity=False).hexdigest()


def run_script(
    client: Client, name: str, keys: list[str], args: list[Any], copies: Copies = NO_COPIES
) -> Any:
    """Run ``<name>.lua`` in one step on the server, and return its reply once ``copies`` exist.

    Survives ``SCRIPT FLUSH`` and a restarted server: a missing script is sent whole, once.

    Raises what ``streams.connection.translated`` makes of the server's errors.
    """
    text, digest = _source(name)
    sending = partial(send_and_wait, client, copies) if copies.replicas else partial(send, client)
    try:
        return sending("EVALSHA", digest, len(keys), *keys, *args)
    except ScriptMissing:
        return sending("EVAL", text, len(keys), *keys, *args)


class Running:
    """A script that was started and whose reply is fetched later; otherwise as ``run_script``."""

    def __init__(self, client: Client, name: str, keys: list[str], args: list[Any]) -> None:
        self._again = (client, name, keys, args)
        _, digest = _source(name)
        self._sent = InFlight(client, "EVALSHA", digest, len(keys), *keys, *args)

    def reply(self) -> Any:
        """Wait for the reply; only once."""
        try:
            return self._sent.reply()
        except ScriptMissing:
            return run_script(*self._again)

    def drop(self) -> None:
        """Give the reply up."""
        self._sent.drop()
