"""Writing a stream that stands beside the way of the messages, and trimming it.

Its entries come from the supervisor, which has no lane of its own: lane 0 has those of all.
"""

from schemas.topology import Topology
from streams.connection import Client, send
from streams.keys import Lane
from streams.trim import plan_trim, trim


def write_side(client: Client, topology: Topology, stream: str, data: str) -> str:
    """Add an entry with this JSON; return its uid. Raises what the server raises."""
    key = Lane(0, topology.lanes).stream(stream)
    return f"{key}/{send(client, 'XADD', key, '*', 'data', data).decode()}"


def trim_side(client: Client, topology: Topology, stream: str) -> int:
    """Remove what the stream's retention no longer keeps; return how many entries went.

    Raises what the server raises.
    """
    return trim(client, Lane(0, topology.lanes), plan_trim(topology, stream))
