"""Where the stream server is, from the environment; read when a process starts, never at import."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServerSettings(BaseSettings):
    """``PENSTOCK_*`` settings of the stream server and of local data.

    ``redis_url`` empty means: the embedded server whose files are under ``data_dir``.
    ``state_key`` authenticates checkpoints; where it is not set, a random key is kept in a file
    that only its owner can read, under ``data_dir``.
    """

    model_config = SettingsConfigDict(env_prefix="PENSTOCK_", frozen=True)

    redis_url: SecretStr = Field(SecretStr(""), description="`redis://user:password@host:port/0`.")
    data_dir: Path = Field(Path(".penstock"), description="Directory of local data.")
    state_key: SecretStr = Field(SecretStr(""), description="Key that authenticates checkpoints.")
    command_timeout_s: float = Field(
        3.0, gt=0, description="A server that does not answer within this counts as away, in s."
    )
