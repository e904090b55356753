"""At most one supervisor a data directory: a lock that the kernel gives back when it dies."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from supervisor.errors import AlreadyRunning, DataDirectoryGone

_TRIES, _PAUSE_S = 5, 0.05


class SupervisorLock:
    """The lock file of a data directory; it holds the process id of whoever has it."""

    def __init__(self, data_dir: Path, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._path = data_dir / "supervisor.lock"
        self._sleep = sleep
        self._fd: int | None = None

    def __enter__(self) -> "SupervisorLock":
        """Take the lock.

        Raises AlreadyRunning when another process has it, OSError when there can be no file.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        # Somebody who only asks whether a supervisor runs holds it for an instant.
        for again in range(_TRIES, 0, -1):
            if self._taken():
                self._sign(self._fd)
                return self
            if again > 1:
                self._sleep(_PAUSE_S)
        owner = os.pread(self._fd, 32, 0).decode(errors="replace").strip()
        self._close()
        raise AlreadyRunning(
            f"a supervisor runs on {self._path.parent} already (process {owner or 'unknown'}); "
            "see 'penstock status', end it with 'penstock down', or choose another directory "
            "with PENSTOCK_DATA_DIR"
        )

    def check(self) -> None:
        """See that what we hold is still what others ask.

        Raises DataDirectoryGone where the file was removed, or is another one.
        """
        assert self._fd is not None
        try:
            if os.path.samestat(self._path.stat(), os.fstat(self._fd)):
                return
        except OSError as error:
            raise DataDirectoryGone(
                f"{self._path.parent} was removed while the supervisor ran on it ({error.strerror}"
                "); the workers were drained, and what only stood there is lost"
            ) from error
        raise DataDirectoryGone(
            f"{self._path.parent} was removed while the supervisor ran on it, and another "
            "supervisor has it now; the workers of this one were drained"
        )

    def _sign(self, fd: int) -> None:
        try:
            os.ftruncate(fd, 0)
            os.write(fd, str(os.getpid()).encode())
        except OSError as error:
            self._close()
            raise OSError(error.errno, error.strerror, str(self._path)) from error

    def __exit__(self, *_: object) -> None:
        self._close()

    def held(self) -> bool:
        """Whether a supervisor has it."""
        try:
            self._fd = os.open(self._path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return not self._taken()
        finally:
            self._close()

    def _taken(self) -> bool:
        assert self._fd is not None
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
