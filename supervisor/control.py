"""The command's side of the supervisor's pages."""

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from supervisor.errors import ActionFailed, NotRunning, ReloadRefused, UnknownWorker
from supervisor.http_client import ask
from supervisor.lock import SupervisorLock
from supervisor.overview import Overview
from supervisor.whereabouts import Whereabouts, read

_PAGE_TIMEOUT_S = 15.0
_ACTION_TIMEOUT_S = 900.0
_PAUSE_S = 0.05
_UNKNOWN = 404


class Control:
    """Speaks to the supervisor that runs on a data directory.

    Raises NotRunning, when it is made and later, as soon as none runs there.
    """

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.here = self._find()

    def _find(self) -> Whereabouts:
        here = read(self.data_dir)
        if not SupervisorLock(self.data_dir).held():
            raise NotRunning(
                f"no supervisor runs on {self.data_dir}; start one with 'penstock up', or name "
                "its directory with PENSTOCK_DATA_DIR"
            )
        if here is None:
            raise NotRunning(
                f"the supervisor on {self.data_dir} is still starting, or just ending; try again"
            )
        return here

    def ready(self) -> bool:
        """Whether every worker takes entries."""
        return self._ask("GET", "/readyz", _PAGE_TIMEOUT_S)[0] == 200

    def overview(self) -> Overview:
        """How the whole pipeline stands."""
        status, body = self._ask("GET", "/status", _PAGE_TIMEOUT_S)
        if status != 200:
            raise ActionFailed(_sentence(body))
        return Overview.model_validate_json(body)

    def act(self, action: str, asked: Mapping[str, Any]) -> Any:
        """Have something done, wait until it is, and return what the supervisor says of it.

        Raises ActionFailed with the supervisor's own sentence, UnknownWorker where that is why,
        ReloadRefused where it refuses the topology file.
        """
        status, body = self._ask(
            "POST", f"/actions/{action}", _ACTION_TIMEOUT_S, json.dumps(asked).encode()
        )
        if status < 300:
            return json.loads(body)
        if problems := _problems(body):
            raise ReloadRefused(*problems)
        raise (UnknownWorker if status == _UNKNOWN else ActionFailed)(_sentence(body))

    def _ask(
        self, method: str, path: str, timeout_s: float, body: bytes | None = None
    ) -> tuple[int, bytes]:
        here = self.here
        host = here.address.removeprefix("http://").rpartition(":")[0].strip("[]")
        headers = {"Authorization": f"Bearer {here.token}", "Content-Type": "application/json"}
        try:
            return ask(
                method, host, here.port, path, timeout_s=timeout_s, body=body, headers=headers
            )
        except TimeoutError as error:
            raise ActionFailed(
                f"the supervisor (process {here.pid}) did not answer in {timeout_s:g} s"
            ) from error
        except OSError as error:
            raise NotRunning(
                f"the supervisor (process {here.pid}) does not answer at {here.address}: {error}"
            ) from error


def wait_until_ended(
    data_dir: Path,
    within_s: float,
    *,
    now_s: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until the supervisor on a data directory, and all it started, is gone.

    Raises ActionFailed when the time is up.
    """
    deadline_s = now_s() + within_s
    lock = SupervisorLock(data_dir)
    while lock.held():
        if now_s() > deadline_s:
            raise ActionFailed(f"the supervisor on {data_dir} did not end within {within_s:g} s")
        sleep(_PAUSE_S)


def _problems(body: bytes) -> list[str]:
    """Each thing that is wrong with the topology file, if the supervisor refused that."""
    try:
        return [str(problem) for problem in json.loads(body)["problems"]]
    except (ValueError, KeyError, TypeError):
        return []


def _sentence(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"])
    except (ValueError, KeyError, TypeError):
        return f"the supervisor answered {body[:200]!r}"
