"""Where the running supervisor is, written down for the ``penstock`` command beside the data."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError


class Whereabouts(BaseModel):
    """The supervisor of a data directory. ``token`` allows actions: only its owner may read it."""

    model_config = ConfigDict(frozen=True)

    pid: int
    host: str
    port: int
    token: str
    config: str
    version: str
    started_at_s: float

    @property
    def address(self) -> str:
        """Where its pages are."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"


def path_of(data_dir: Path) -> Path:
    """The file in a data directory."""
    return data_dir / "supervisor.json"


def write(data_dir: Path, whereabouts: Whereabouts) -> None:
    """Write the file whole, readable by its owner alone.

    Raises OSError.
    """
    made = path_of(data_dir).with_suffix(".new")
    made.unlink(missing_ok=True)
    made.touch(mode=0o600)
    made.write_text(whereabouts.model_dump_json())
    made.replace(path_of(data_dir))


def read(data_dir: Path) -> Whereabouts | None:
    """What the file says, or None where there is none that can be read."""
    try:
        return Whereabouts.model_validate_json(path_of(data_dir).read_text())
    except (OSError, ValidationError):
        return None


def remove(data_dir: Path, own: Whereabouts) -> None:
    """Take the file away, if it tells of this supervisor and not of another one."""
    if read(data_dir) == own:
        path_of(data_dir).unlink(missing_ok=True)
