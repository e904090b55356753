"""What one supervisor is told when it starts."""

from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 9464
"""Where the pages are, unless the port is taken or another is named."""


@dataclass(frozen=True, slots=True)
class SupervisorSettings:
    """Flags of ``penstock up``, over ``PENSTOCK_*``, over these defaults.

    ``port`` None takes 9464 if it is free, else any free one; ``server_port`` 0 likewise takes
    the embedded server's last port. ``only`` names the workers to run, all if empty. ``drain_s``
    is how long workers may take to finish their batch when told to end.
    """

    config: Path
    data_dir: Path = Path(".penstock")
    host: str = "127.0.0.1"
    port: int | None = None
    server_port: int = 0
    appendfsync: str = "everysec"
    only: tuple[str, ...] = ()
    drain_s: float = 20.0

    @property
    def logs(self) -> Path:
        """The directory of the workers' logs."""
        return self.data_dir / "logs"
