"""Starts ``penstock`` in a container: what is secret comes from files, and becomes its settings.

With ``worker`` as the first argument it starts one worker, ``python -m workers``, in its stead.

A variable ``PENSTOCK_X_FILE`` names the file that holds ``PENSTOCK_X``. Two files hold what other
servers read too: ``PENSTOCK_REDIS_PASSWORD_FILE``, whose password goes into the URL of
``PENSTOCK_REDIS_URL``, and ``PENSTOCK_NEO4J_AUTH_FILE``, which says ``user/password``.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

SUFFIX = "_FILE"


def settings(given: Mapping[str, str]) -> dict[str, str]:
    """The environment with every file's content in its place; no ``_FILE`` of ours is left."""
    named = {
        name: path
        for name, path in given.items()
        if name.startswith("PENSTOCK_") and name.endswith(SUFFIX)
    }
    found = {name: value for name, value in given.items() if name not in named}
    for name, path in named.items():
        found |= _of(name.removesuffix(SUFFIX), _secret(path), given)
    return found


def _of(name: str, secret: str, given: Mapping[str, str]) -> dict[str, str]:
    if name == "PENSTOCK_REDIS_PASSWORD":
        scheme, _, rest = given["PENSTOCK_REDIS_URL"].partition("://")
        return {"PENSTOCK_REDIS_URL": f"{scheme}://:{quote(secret, safe='')}@{rest}"}
    if name == "PENSTOCK_NEO4J_AUTH":
        user, _, password = secret.partition("/")
        return {"PENSTOCK_NEO4J_USER": user, "PENSTOCK_NEO4J_PASSWORD": password}
    return {name: secret}


def _secret(path: str) -> str:
    secret = Path(path).read_text(encoding="utf-8").strip()
    if not secret:
        sys.exit(f"the secret {path} is empty; deploy/up writes it, or you do")
    return secret


def command(arguments: Sequence[str]) -> list[str]:
    """What is started in this process's place."""
    if arguments[:1] == ["worker"]:
        return [sys.executable, "-m", "workers", *arguments[1:]]
    return ["penstock", *arguments]


if __name__ == "__main__":
    started = command(sys.argv[1:])
    os.execvpe(started[0], started, settings(os.environ))
