"""What the suites that run against real servers share."""

from tests.servers.neo4j_server import neo4j_uri

__all__ = ["neo4j_uri"]
