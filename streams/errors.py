"""What can go wrong between us and the stream server, one class a remedy."""


class StreamsError(Exception):
    """Anything that the stream server, or the way to it, refused."""


class ServerAway(StreamsError):
    """The server does not answer, or says that it cannot serve for now. Wait, then go on."""


class ServerFull(ServerAway):
    """The server has no memory left for what we want to write. Trimming may make room."""


class ServerRefused(StreamsError):
    """The server answers and will not serve us: wrong password, no permission, too old."""


class NoServer(StreamsError):
    """No server is configured and no embedded one runs."""


class LeaseLost(StreamsError):
    """Another holder has the lease, or it ran out. Nothing was committed; take up work anew."""


class ScriptMissing(StreamsError):
    """The server does not know a script, or forgot it. It is sent whole."""


class GroupMissing(StreamsError):
    """A consumer group or its stream is gone. It is created again from the oldest entry."""


class CheckpointRefused(StreamsError):
    """A checkpoint that is not ours, was changed, or is of another format."""


class EntryRefused(StreamsError):
    """An entry that cannot be published: no ``data``, too large, or a field of the wrong sort."""


class StreamFull(StreamsError):
    """More waits in a stream than its high-water mark allows, and it did not get less in time."""


class UnknownEntry(StreamsError):
    """A uid that names no retained entry."""


class EmbeddedServerError(StreamsError):
    """The embedded server could not be started or attached to."""


class PortTaken(EmbeddedServerError):
    """The port that was asked for is in use by another program."""


class DiskFull(EmbeddedServerError):
    """The append-only file cannot be written; the server takes no writes until there is room."""
