"""What the suites that run against real servers share."""

from tests.servers.lineage_chained import store, tamper
from tests.servers.lineage_places import fresh, place
from tests.servers.neo4j_server import neo4j_uri

__all__ = ["fresh", "neo4j_uri", "place", "store", "tamper"]
