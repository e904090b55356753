"""What the supervisor asks of the stream server, turn by turn, and what follows from the answers.

No look waits for a server that is away: the look at the presence list finds that out first, says so
once, and comes back with ever longer pauses.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from schemas.supervisor_event import Action
from streams.connection import Client
from streams.errors import ServerAway, StreamsError
from streams.observe import stream_states
from streams.outage import Outage
from streams.presence import present
from streams.side import trim_side
from supervisor.announced import Announced, of_ours
from supervisor.chronicle import Chronicle
from supervisor.estate import Estate
from supervisor.fleet import Fleet
from supervisor.healer import Healer
from supervisor.scaler import Scaler
from supervisor.scaling import Decision
from supervisor.tide import Tide

_STREAMS_S, _TRIM_S = 5.0, 60.0


class Rounds:
    """The looks of one supervisor at its server and, through it, at its processes."""

    def __init__(
        self,
        fleet: Fleet,
        chronicle: Chronicle,
        log: Any,
        now_s: Callable[[], float],
        drain_s: float,
    ) -> None:
        self._fleet = fleet
        self._chronicle = chronicle
        self._log = log
        self._now_s = now_s
        self._outage = Outage(log, first_s=0.2, most_s=2.0)
        self._estate = Estate(fleet.topology.lanes)
        self._tide = Tide(log)
        self._healer = Healer(drain_s)
        self._scaler = Scaler()
        self._refused: set[str] = set()
        self._presence_at_s = self._streams_at_s = self._trim_at_s = 0.0

    def go(self, client: Client, *, may_scale: bool) -> dict[str, Decision]:
        """Look at everything that is due; return which workers should be scaled.

        ``may_scale`` False leaves their number for a later turn.
        """
        self._estate.note({c.pid for c in self._fleet.children.values() if c.pid})
        found = self._processes(client)
        if found is None:
            return {}
        self._try("leases", lambda: self._settle_estates(client))
        self._try("healing", lambda: self._heal(client, found))
        wanted: dict[str, Decision] = {}
        self._try("streams", lambda: wanted.update(self._look_at_streams(client, may_scale)))
        self.write(client)
        return wanted

    def write(self, client: Client) -> None:
        """Write down what was done."""
        self._try("events", lambda: self._write(client))

    def _settle_estates(self, client: Client) -> None:
        """End the leases of processes that were killed, so that their entries go on at once."""
        for worker in self._estate.settle(client):
            why = "its process ended, so its entries go on elsewhere"
            self._chronicle.tell(Action.LEASE_BROKEN, why, worker)

    def _processes(self, client: Client) -> Mapping[int, Announced] | None:
        """What the processes say of themselves; None while the server is away."""
        if self._now_s() < self._presence_at_s:
            return None
        children = self._fleet.children.values()
        try:
            found = of_ours(present(client, time.time()), children)
        except StreamsError as error:  # which may have taken as long as a time-out
            self._presence_at_s = self._now_s() + self._outage.failed(error)
            self._healer.forget()
            self._hear({})
            return None
        self._outage.over()
        self._hear(found)
        return found

    def _hear(self, found: Mapping[int, Announced]) -> None:
        for child in self._fleet.children.values():
            process = found.get(child.pid or 0)
            if process is None or child.state == "stopping":
                child.saw(False)
            else:
                child.saw(process.ready, process.lanes, process.presence.restarts)

    def _heal(self, client: Client, found: Mapping[int, Announced]) -> None:
        fleet = self._fleet
        self._healer.look(self._now_s(), client, fleet.topology, fleet.children.values(), found)

    def _look_at_streams(self, client: Client, may_scale: bool) -> dict[str, Decision]:
        """Tell of streams that run full and of groups that nobody reads; scale by what waits."""
        now, fleet = self._now_s(), self._fleet
        if now < self._streams_at_s:
            return {}
        self._streams_at_s = now + _STREAMS_S
        states = stream_states(client, fleet.topology)
        self._tide.look(states)
        if not may_scale:
            return {}
        return self._scaler.look(now, fleet.topology, fleet.wanted, fleet.by_hand, states)

    def _write(self, client: Client) -> None:
        topology, now = self._fleet.topology, self._now_s()
        self._chronicle.write(client, topology)
        if topology.supervisor is not None and now >= self._trim_at_s:
            self._trim_at_s = now + _TRIM_S
            trim_side(client, topology, topology.supervisor)

    def _try(self, look: str, work: Callable[[], None]) -> None:
        """Do what may fail by itself; a refusal, as by the server's ACL, is told once."""
        try:
            work()
        except ServerAway:
            self._healer.forget()  # the look at the presence list tells of the outage, once
        except StreamsError as error:
            self._tell(look, str(error))
        except Exception as error:  # noqa: BLE001 - the edge: a look that fails ends no worker
            self._tell(look, repr(error))
        else:
            self._refused.discard(look)

    def _tell(self, look: str, error: str) -> None:
        if look not in self._refused:
            self._refused.add(look)
            self._log.warning("supervisor_refused", look=look, error=error)
