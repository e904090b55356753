"""The lanes of one worker process: a loop and a heartbeat for each, in threads."""

import threading
from collections.abc import Sequence

from schemas.topology import Topology
from workers.errors import Misconfigured
from workers.loop import Loop
from workers.pulse import Beside
from workers.standing import Standing

ALL = "all"


def lanes_named(text: str, topology: Topology) -> list[int]:
    """The lanes that ``--lanes`` names: ``all``, or numbers such as ``0,3,5``.

    Raises Misconfigured for what is no number, or no lane.
    """
    if text == ALL:
        return list(range(topology.lanes))
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError as error:
        raise Misconfigured(f"--lanes is 'all' or numbers such as 0,3,5; not {text!r}") from error
    unknown = [str(lane) for lane in found if not 0 <= lane < topology.lanes]
    if unknown:
        raise Misconfigured(
            f"there is no lane {', '.join(unknown)}: the topology has {topology.lanes}, "
            "counted from 0"
        )
    return found


class LaneRun:
    """One lane at work: its loop runs in a thread until ``standing.stopping`` is set.

    ``beside`` runs beside it, in threads of its own.
    """

    def __init__(
        self, lane: int, standing: Standing, loop: Loop, beside: Sequence[Beside] = ()
    ) -> None:
        self.lane = lane
        self.beside = beside
        self.standing = standing
        self.error: BaseException | None = None
        self._loop = loop
        self._thread = threading.Thread(target=self._run, name=f"lane-{lane}", daemon=True)

    def start(self) -> None:
        """Start the loop."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the loop ended; a signal handler may run meanwhile."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._loop.run()
        except BaseException as error:  # noqa: BLE001 - the main thread raises it again
            self.error = error
        finally:
            self.standing.stopping.set()  # one lane that fails ends the process, and says why


def run_lanes(runs: Sequence[LaneRun], beside: Sequence[Beside]) -> None:
    """Run all lanes until they are told to stop, or until one fails; raise what it raised.

    ``beside`` runs meanwhile; announcers come first.
    """
    for pulse in beside:
        pulse.start()
    try:
        for run in runs:
            run.start()
        for run in runs:
            run.join()
    finally:
        for pulse in reversed(beside):
            pulse.stop()
    for run in runs:
        if run.error is not None:
            raise run.error


def stalled(runs: Sequence[LaneRun], after_s: float) -> str:
    """Which loop has not come round for longer than ``after_s``; empty where all have."""
    for run in runs:
        if run.standing.idle_s > after_s:
            return f"the loop of lane {run.lane} stood still for {run.standing.idle_s:.0f} s"
    return ""


def unserved(runs: Sequence[LaneRun]) -> str:
    """Which lane is served neither by this process nor by another; empty where all are."""
    for run in runs:
        if not run.standing.served:
            return f"lane {run.lane} is {run.standing.state}"
    return ""
