"""What runs, written down beside the data: ``penstock plan`` compares a file with it.

The workers read a copy of the topology file, made when it was applied. So what is saved there
meanwhile reaches nobody before it is applied, too.
"""

from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from supervisor.parts import Applied


def path_of(data_dir: Path) -> Path:
    """The file in a data directory."""
    return data_dir / "applied.json"


def write(data_dir: Path, applied: Applied) -> None:
    """Write the file whole. Raises OSError."""
    _write(path_of(data_dir), applied.as_json().encode())


def copy(data_dir: Path, config: Path) -> Path:
    """Copy a topology file as it is now; return where the copy is. Raises OSError.

    Copies are told apart by their content, so one that a worker was started with stays as it is.
    """
    text = config.read_bytes()
    made = _copies(data_dir) / f"{sha256(text).hexdigest()[:12]}.yaml"
    _write(made, text)
    return made


def clear(data_dir: Path) -> None:
    """Remove the copies of a supervisor that is gone. Raises OSError."""
    for made in _copies(data_dir).glob("*"):
        made.unlink()


def _copies(data_dir: Path) -> Path:
    return data_dir / "applied"


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".new")
    made.write_bytes(text)
    made.replace(path)


def read(data_dir: Path) -> Applied | None:
    """What the file says, or None where there is none that can be read."""
    try:
        return Applied.model_validate_json(path_of(data_dir).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
