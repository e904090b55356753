"""What can go wrong between the ``penstock`` command and the supervisor."""


class SupervisorError(Exception):
    """Anything that the supervisor, or the way to it, refused."""


class NotRunning(SupervisorError):
    """No supervisor runs on the data directory."""


class AlreadyRunning(SupervisorError):
    """A supervisor runs on the data directory already; there can be one only."""


class UnknownWorker(SupervisorError):
    """The topology, or the running supervisor, has no worker of that name."""


class CannotScale(SupervisorError):
    """The worker owns its lanes alone; more processes would stand idle."""


class ActionFailed(SupervisorError):
    """The supervisor took an action up and could not finish it, or did not answer."""


class ReloadRefused(SupervisorError):
    """The topology file cannot be applied to the workers that run; nothing was changed."""
