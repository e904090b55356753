"""How far a run of the demo came: ``demo.json`` under the data directory, for the next to go on."""

import fcntl
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from streams.observe import StreamState
from supervisor.errors import AlreadyRunning

FILE = "demo.json"


class Book(BaseModel):
    """A run: how much is published, and where the server stood when it began.

    ``most`` is the number of readings of each sensor (None: all). ``before`` counts what the gate
    had settled of the source, by outcome; ``added`` is how many entries the source had got.
    ``ends`` are the last entries, by stream and key, of the streams that findings come to.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: str
    most: int | None
    source: str
    published: int
    before: dict[str, int]
    added: int
    ends: dict[str, dict[str, str]]
    finished: bool = False


def new_run(now_s: float | None = None) -> str:
    """A name for a run: its time, and some chance."""
    at = time.strftime("%Y%m%d-%H%M%S", time.localtime(now_s))
    return f"{at}-{secrets.token_hex(2)}"


def load(data_dir: Path) -> Book | None:
    """The run that was begun last, or None where there is none that can be read."""
    try:
        return Book.model_validate_json((data_dir / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def save(data_dir: Path, book: Book, *, replace: Callable[..., None] = os.replace) -> None:
    """Write it down; a reader finds the old or the new one, whole, whenever we are killed."""
    data_dir.mkdir(parents=True, exist_ok=True)
    draft = data_dir / f"{FILE}.{os.getpid()}"
    draft.write_text(book.model_dump_json(indent=2))
    replace(draft, data_dir / FILE)


@contextmanager
def alone(data_dir: Path) -> Iterator[None]:
    """Keep other demos off the data directory while the block lasts.

    Raises AlreadyRunning when one is there.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "demo.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"another 'penstock demo' runs on {data_dir}; wait for it, or break it off"
            ) from error
        yield


def resumable(book: Book | None, source: StreamState, most: int | None) -> bool:
    """Whether a run can be gone on with: it is not finished, and the server has what it published.

    A run of another size is another run. A server that got fewer entries than the run published
    is another server, or was emptied.
    """
    return (
        book is not None
        and not book.finished
        and book.most == most
        and book.source == source.name
        and source.added - book.added >= book.published
    )
