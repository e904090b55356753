"""Where the provenance graph is kept, from the environment; read when a process starts."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from lineage.store import StoreSettings


class LineageSettings(BaseSettings):
    """``PENSTOCK_*`` settings of the graph: Neo4j where its URI is set, else the embedded store."""

    model_config = SettingsConfigDict(env_prefix="PENSTOCK_", frozen=True)

    neo4j_uri: str = Field("", description="`bolt://host:7687`; empty: the embedded store.")
    neo4j_user: str = Field("neo4j", description="User of Neo4j.")
    neo4j_password: SecretStr = Field(SecretStr(""), description="Password of Neo4j; empty: none.")
    neo4j_database: str = Field("neo4j", description="Database of Neo4j.")
    lineage_key: SecretStr = Field(
        SecretStr(""), description="Key of the hash chain and of ROE hashes; empty: the state key."
    )
    data_dir: Path = Field(Path(".penstock"), description="Directory of local data.")

    def secret(self, otherwise: bytes) -> bytes:
        """The key of what lineage says, or ``otherwise`` where none is set."""
        return self.lineage_key.get_secret_value().encode() or otherwise

    def store(self, chain_key: bytes = b"") -> StoreSettings:
        """The store that these settings name; only writing needs the key."""
        if not self.neo4j_uri:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path = self.data_dir / "lineage.db"
            return StoreSettings(f"sqlite:{path}", chain_key=chain_key)
        password = self.neo4j_password.get_secret_value()
        return StoreSettings(
            self.neo4j_uri,
            user=self.neo4j_user if password else None,
            password=password or None,
            database=self.neo4j_database,
            chain_key=chain_key,
        )
