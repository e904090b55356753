"""What runs, written down beside the data: ``penstock plan`` compares a file with it.

The workers read a copy of the topology file, made when it was applied. So what is saved there
meanwhile reaches nobody before it is applied, too.
"""

import os
from collections.abc import Collection
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from supervisor.parts import Applied


def path_of(data_dir: Path) -> Path:
    """The file in a data directory."""
    return data_dir / "applied.json"


def write(data_dir: Path, applied: Applied) -> None:
    """Write the file whole. Raises OSError."""
    _write(path_of(data_dir), applied.as_json().encode())


class Copies:
    """The copies of a topology file that workers are started with; their owner alone reads them.

    They are told apart by their content, so one that a worker was started with stays as it is.
    Where there can be no copy, the file itself stands for it, and the log says so.
    """

    def __init__(self, data_dir: Path, config: Path, log: Any) -> None:
        self._directory = data_dir / "applied"
        self._config = config
        self._log = log

    def take(self) -> Path:
        """Copy the file as it is now; return where the copy is."""
        try:
            text = self._config.read_bytes()
        except OSError:  # whoever reads the file says why it cannot be read
            return self._config
        return self.keep_text(text)

    def keep_text(self, text: bytes) -> Path:
        """Write down what was read of the file; return where the copy is."""
        made = self._directory / f"{sha256(text).hexdigest()[:12]}.yaml"
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._directory.chmod(0o700)
            _write(made, text)
        except OSError as error:
            self._log.warning("applied_not_written", error=str(error))
            return self._config
        return made

    def keep_only(self, used: Collection[Path]) -> None:
        """Remove the copies that nobody uses."""
        try:
            for made in set(self._directory.glob("*")) - set(used):
                made.unlink()
        except OSError as error:
            self._log.warning("applied_not_removed", error=str(error))


def _write(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".new")
    made.unlink(missing_ok=True)  # of a supervisor that was killed, with whatever mode
    with open(made, "xb", opener=partial(os.open, mode=0o600)) as file:
        file.write(text)
    made.replace(path)


def read(data_dir: Path) -> Applied | None:
    """What the file says, or None where there is none that can be read."""
    try:
        return Applied.model_validate_json(path_of(data_dir).read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
