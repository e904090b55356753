"""The paths of the console: its files, what they ask for, and what they may have done."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from schemas.topology import Topology
from streams.connection import Client
from supervisor.audit import Audit
from supervisor.console.faults import telling
from supervisor.console.incidents import Incidents
from supervisor.console.patients import Patients
from supervisor.console.provenance import Provenance
from supervisor.console.pulse import Pulse, Sight
from supervisor.console.recent import Recent
from supervisor.overview import Overview
from supervisor.page_routes import Get, Live, Post

STATIC: Final = Path(__file__).parent / "static"
"""The page itself: HTML, CSS and modules that browsers take as they are."""

STYLE_OF_DRAWINGS: Final = "/lineage.css"


class Console:
    """The console of one supervisor; ``topology`` and ``overview`` give what holds now."""

    def __init__(
        self,
        topology: Callable[[], Topology],
        client: Client,
        overview: Callable[[], Overview],
        audit: Audit,
    ) -> None:
        recent = Recent(topology, client)
        self._pulse = Pulse(Sight(topology, client, overview, recent))
        self._incidents = Incidents(topology, client, recent)
        self._patients = Patients(topology, client, audit)
        self._provenance = Provenance(topology, client)

    def gets(self) -> Mapping[str, Get]:
        """What it asks for."""
        pages: dict[str, Get] = {
            "/api/topology": self._pulse.topology,
            "/api/pipeline": self._pulse.pipeline,
            "/api/events": self._incidents.listed,
            "/api/event": self._incidents.told,
            "/api/event.svg": self._incidents.picture,
            "/api/quarantine": self._patients.listed,
            "/api/quarantined": self._patients.told,
            "/api/audit": self._patients.acts,
            STYLE_OF_DRAWINGS: self._provenance.style,
            **self._provenance.pages(),
        }
        return {path: telling(page) for path, page in pages.items()}

    def posts(self) -> Mapping[str, Post]:
        """What it may have done."""
        return {
            "/actions/release": telling(self._patients.release),
            "/actions/drop": telling(self._patients.drop),
        }

    def lives(self) -> Mapping[str, Live]:
        """What it listens to."""
        return {"/api/live": self._pulse.live}
