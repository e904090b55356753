"""What others ask of the running supervisor, done by its main loop a step at a turn.

The pages answer in threads of their own; they leave a request and wait for its future. So only one
thread ever touches the children.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from streams.logs import tell_unexpected
from supervisor.errors import ActionFailed, SupervisorError
from supervisor.fleet import Fleet
from supervisor.steps import Steps


@dataclass(frozen=True, slots=True)
class Request:
    """Something to do with the fleet; ``done`` gets its end, or the error that ended it."""

    begin: Callable[[Fleet], Steps]
    done: "Future[None]" = field(default_factory=Future)

    def refuse(self) -> None:
        """Tell whoever waits that it will not be done."""
        self.done.set_exception(ActionFailed("the supervisor is ending"))


class Desk:
    """Takes requests in their order and finishes each before it begins the next."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._waiting: deque[Request] = deque()
        self._request: Request | None = None
        self._steps: Steps | None = None

    @property
    def busy(self) -> bool:
        """Whether there is anything left to do."""
        return self._request is not None or bool(self._waiting)

    def take(self, request: Request) -> None:
        """Put a request behind the others."""
        self._waiting.append(request)

    def step(self) -> None:
        """Go one step further."""
        try:
            if self._steps is None and self._waiting:
                self._request = self._waiting.popleft()
                self._steps = self._request.begin(self._fleet)
            if self._steps is not None:
                next(self._steps)
        except StopIteration:
            self._finish(None)
        except SupervisorError as error:
            self._finish(error)
        except Exception as error:  # noqa: BLE001 - the workers go on, whatever one action ran into
            tell_unexpected(type(error), error, error.__traceback__)
            sort = type(error).__name__
            self._finish(ActionFailed(f"an unexpected {sort} ended it; the log says where"))

    def _finish(self, error: SupervisorError | None) -> None:
        request, self._request, self._steps = self._request, None, None
        if request is None:
            return
        if error is None:
            request.done.set_result(None)
        else:
            request.done.set_exception(error)

    def close(self) -> None:
        """Tell whoever still waits that nothing more will happen."""
        while self._request is not None or self._waiting:
            request = self._request or self._waiting.popleft()
            self._request = self._steps = None
            request.refuse()
