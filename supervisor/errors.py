"""What can go wrong between the ``penstock`` command and the supervisor."""


class SupervisorError(Exception):
    """Anything that the supervisor, or the way to it, refused."""


class NotRunning(SupervisorError):
    """No supervisor runs on the data directory."""


class AlreadyRunning(SupervisorError):
    """A supervisor runs on the data directory already; there can be one only."""


class DataDirectoryGone(SupervisorError):
    """The data directory of a running supervisor was removed: it ends, since nobody finds it."""


class UsageMistake(SupervisorError):
    """What was asked for names something that there is not, or is no value for its option."""


class UnknownWorker(UsageMistake):
    """The topology, or the running supervisor, has no worker of that name."""


class CannotScale(SupervisorError):
    """The worker owns its lanes alone; more processes would stand idle."""


class ActionFailed(SupervisorError):
    """The supervisor took an action up and could not finish it, or did not answer."""


class RestartRefused(SupervisorError):
    """A worker could not start anew, so it goes on as it is."""


class ReloadRefused(SupervisorError):
    """The topology file cannot be applied to the workers that run; nothing was changed.

    ``problems`` are whole sentences, one at least.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems
