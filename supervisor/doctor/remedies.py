"""What gets a worker going that does not work, by what its supervisor says of it."""

from schemas.topology import Topology
from supervisor import applied_file
from supervisor.doctor.finding import Patient
from supervisor.overview import WorkerView

_ON_THE_WAY = ("starting", "waiting", "replaying", "draining", "stopping")


def start(patient: Patient, worker: str) -> str:
    """What to do so that a worker that takes no entries does."""
    if patient.supervised is None:
        return f"start it: penstock up, or python -m workers {worker}"
    if not patient.supervised:
        return "its supervisor does not answer; see that first"
    view = patient.supervised.get(worker)
    if view is None:
        return "its supervisor does not know it yet: penstock reload"
    applied = applied_file.read(patient.settings.data_dir)
    if applied is not None and worker not in applied.runs:
        return f"its supervisor was told to leave it out: penstock down, then up --only {worker}, …"
    return _of(view, patient.topology)


def when_it_runs(patient: Patient, worker: str, does: str) -> str:
    """That a worker will do something by itself, and what to do if it does not run."""
    view = (patient.supervised or {}).get(worker)
    if view is not None and view.ready:
        return f"nothing, while worker {worker!r} runs: it {does}"
    return f"worker {worker!r} {does} once it runs; {start(patient, worker)}"


def _of(view: WorkerView, topology: Topology) -> str:
    if view.wanted == 0:
        number = max(1, topology.workers[view.worker].replicas.min)
        return f"it is scaled to 0; have it back: penstock scale {view.worker} {number}"
    restart = f"penstock restart {view.worker}"
    reason = next((process.reason for process in view.processes if process.reason), "")
    if reason:
        return f"mend what it says ({reason}), then: {restart}"
    if view.state in _ON_THE_WAY:
        return f"it is {view.state}; if that lasts, see its log, then: {restart}"
    return f"it tells nothing of itself, as if it were frozen: {restart}"
