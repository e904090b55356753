"""What runs, written down beside the data: ``penstock plan`` compares a file with it."""

from pathlib import Path

from pydantic import ValidationError

from supervisor.parts import Applied


def path_of(data_dir: Path) -> Path:
    """The file in a data directory."""
    return data_dir / "applied.json"


def write(data_dir: Path, applied: Applied) -> None:
    """Write the file whole. Raises OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    made = path_of(data_dir).with_suffix(".new")
    made.write_text(applied.as_json(), encoding="utf-8")
    made.replace(path_of(data_dir))


def read(data_dir: Path) -> Applied | None:
    """What the file says, or None where there is none that can be read."""
    try:
        return Applied.model_validate_json(path_of(data_dir).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
