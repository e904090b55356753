"""Starts ``penstock`` in a container: what is secret comes from files, and becomes its settings.

With ``worker`` as the first argument it starts one worker, ``python -m workers``, in its stead.

A variable ``PENSTOCK_X_FILE`` names the file that holds ``PENSTOCK_X``. Two files hold what other
servers read too: ``PENSTOCK_REDIS_PASSWORD_FILE``, whose password goes into the URL of
``PENSTOCK_REDIS_URL``, and ``PENSTOCK_NEO4J_AUTH_FILE``, which says ``user/password``.

The system hands a process that lost its parent to the container's first one, the id 1, and keeps it
when it has ended until that one asks. Neither ``penstock`` nor a worker does: a keeper that was
killed would leave its other process for good. So where this is the first process (``docker run``
without ``--init``, and Kubernetes) it stays, starts them beside itself, passes on what it is told,
and asks after everybody.
"""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

SUFFIX = "_FILE"
_PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_BY_THE_KERNEL = 0x80  # SI_KERNEL in <signal.h>: of a SIGINT, that a terminal sent it to all


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


def attend(started: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command as the first process of a container does; its exit code, as a shell tells it.

    Signals to drain and to reload are passed on; whatever process ended is asked after.
    """
    minded = {*_PASSED_ON, signal.SIGCHLD}
    signal.pthread_sigmask(signal.SIG_BLOCK, minded)
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, minded)
        os.execvpe(started[0], started, environment)
    while True:
        told = signal.sigwaitinfo(minded)
        if told.si_signo == signal.SIGCHLD:
            code = _asked_after(child)
            if code is not None:
                return code if code >= 0 else 128 - code
        elif (told.si_signo, told.si_code) != (signal.SIGINT, _BY_THE_KERNEL):
            os.kill(child, told.si_signo)


def _asked_after(child: int) -> int | None:
    """Ask after all that have ended; the exit code of ``child`` if it is among them."""
    while True:
        ended, status = os.waitpid(-1, os.WNOHANG)
        if ended == child:
            return os.waitstatus_to_exitcode(status)
        if not ended:
            return None


if __name__ == "__main__":
    started, environment = command(sys.argv[1:]), settings(os.environ)
    if os.getpid() == 1:
        sys.exit(attend(started, environment))
    os.execvpe(started[0], started, environment)
