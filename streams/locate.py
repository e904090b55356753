"""Where the stream server is: the configured one, or the embedded one of the data directory."""

from streams.embedded import EmbeddedServer
from streams.errors import NoServer
from streams.settings import ServerSettings


def locate(settings: ServerSettings) -> str:
    """The server's URL, password included: never log it.

    Raises NoServer when none is configured and no embedded one runs.
    """
    configured = settings.redis_url.get_secret_value()
    if configured:
        return configured
    address = EmbeddedServer(settings.data_dir).running()
    if address is None:
        raise NoServer(
            "there is no stream server: PENSTOCK_REDIS_URL is not set, and no embedded server "
            f"runs on {settings.data_dir}; start one with 'penstock up'"
        )
    return address.url
