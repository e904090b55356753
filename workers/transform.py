"""The transform: runs a pipeline author's own function, from events to events.

The function gets a ``Message`` and returns, or yields, events of the target stream's schema, or
``Derived`` where it wants to say more. With ``memory: true`` it gets a second argument, a dict of
JSON values that is checkpointed and, after a crash, rebuilt to what it was.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic_core import ValidationError, from_json, to_json

from schemas.author_function import AuthorFunctionError, load_function
from schemas.message import Derived, Message
from schemas.model import Uid
from schemas.registry import Schema, resolve
from schemas.topology import Topology
from schemas.topology_workers import TransformSettings
from streams.entry import Entry, Output, Settled
from streams.keys import Lane, bare
from workers.errors import Misconfigured
from workers.in_hand import Note, unnoted
from workers.provenance import (
    NO_HASHES,
    RoeHashes,
    carried_on,
    circumstances,
    provenance,
    text_field,
)

_UIDS = TypeAdapter(tuple[Uid, ...])


class OutputRefused(ValueError):
    """The function returned something that its target stream does not take."""


class Transform:
    """A function without memory: what it makes of a message depends on that message alone."""

    def __init__(
        self,
        topology: Topology,
        settings: TransformSettings,
        worker: str,
        lane: Lane,
        hashes: RoeHashes = NO_HASHES,
        note: Note = unnoted,
    ) -> None:
        self._worker = worker
        self._note = note
        self._hashes = hashes
        self._function = _function_of(settings, worker)
        self._sources = {s: resolve(topology.streams[s].schema_name) for s in settings.reads}
        self._targets = {s: resolve(topology.streams[s].schema_name) for s in settings.writes}
        self._keys = {stream: lane.stream(stream) for stream in settings.writes}
        self._default = settings.writes[0]

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Call the function for each entry, in their order."""
        settled = [self._settle(entry) for entry in batch]
        self._note("")
        return settled

    def _settle(self, entry: Entry) -> Settled:
        self._note(entry.id)
        stream = bare(entry.stream)
        event = self._sources[stream].validator.validate_json(entry.get(b"data") or b"")
        message = Message(
            event=event,
            uid=entry.uid,
            stream=stream,
            at_ms=entry.at_ms,
            id=text_field(entry, b"id"),
            source=text_field(entry, b"source"),
            type=text_field(entry, b"type"),
            time=text_field(entry, b"time"),
            subject=text_field(entry, b"subject"),
        )
        made = self._call(message)
        return Settled(entry, "accepted", [self._output(entry, item) for item in _listed(made)])

    def _call(self, message: Message[Any]) -> Any:
        return self._function(message)

    def _output(self, entry: Entry, made: Any) -> Output:
        derived = made if isinstance(made, Derived) else Derived(made)
        stream = derived.stream or self._default
        if stream not in self._targets:
            known = ", ".join(self._targets)
            raise OutputRefused(f"{self._worker!r} wrote to {stream!r}; its 'writes' has {known}")
        schema = self._targets[stream]
        data, event = self._checked(derived.event, schema, stream)
        fields = [b"data", data, b"source", f"penstock/{self._worker}".encode()]
        fields += carried_on(entry)
        subject = derived.subject or text_field(entry, b"subject")
        if subject:
            fields += [b"subject", subject.encode()]
        told = circumstances(event, self._hashes)
        note = provenance(schema, told) | {"source": f"penstock/{self._worker}"}
        return Output(self._keys[stream], fields, note, self._parents(derived) or None)

    def _parents(self, derived: Derived) -> tuple[str, ...]:
        try:
            return _UIDS.validate_python(derived.parents)
        except ValidationError as error:
            raise OutputRefused(
                f"{self._worker!r} made an event whose 'parents' are no uids of messages"
            ) from error

    def _checked(self, event: Any, schema: Schema, stream: str) -> tuple[bytes, Any]:
        data = event.model_dump_json().encode() if isinstance(event, BaseModel) else to_json(event)
        try:
            return data, schema.validator.validate_json(data)
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(str(part) for part in fault["loc"])
            raise OutputRefused(
                f"{self._worker!r} made {'an event' if where else _kind(event)} that {stream!r} "
                f"does not take: {where}{': ' if where else ''}{fault['msg']}"
            ) from error


class TransformWithMemory(Transform):
    """A function that remembers. Its lane is owned alone, and its memory survives a crash."""

    def __init__(
        self,
        topology: Topology,
        settings: TransformSettings,
        worker: str,
        lane: Lane,
        hashes: RoeHashes = NO_HASHES,
        note: Note = unnoted,
    ) -> None:
        super().__init__(topology, settings, worker, lane, hashes, note)
        self.fingerprint = sha256(settings.call.encode()).hexdigest()[:16]
        self._memory: dict[str, Any] = {}

    def _call(self, message: Message[Any]) -> Any:
        return _listed(self._function(message, self._memory))  # a generator ends before the next

    def handle(self, batch: Sequence[Entry]) -> list[Settled]:
        """Call the function for each entry; raises TypeError for a memory that cannot be saved.

        It is looked at with every batch, while the entry that spoilt it can still be told.
        """
        settled = super().handle(batch)
        self.state()
        return settled

    def reset(self) -> None:
        """Forget everything."""
        self._memory = {}

    def state(self) -> bytes:
        """The memory as JSON.

        Raises TypeError when it holds something that JSON would bring back changed.
        """
        packed = to_json(self._memory, inf_nan_mode="constants")
        if from_json(packed) != self._memory:
            raise TypeError(
                f"the memory of {self._worker!r} may hold only JSON values: text, finite numbers, "
                "true, false, None, lists, and dicts with text keys (no tuples, no sets)"
            )
        return packed

    def restore(self, state: bytes) -> None:
        """Take over a memory; raises ValueError for bytes that are none."""
        memory = from_json(state)
        if not isinstance(memory, dict):
            raise ValueError("the memory in the checkpoint is no JSON object")
        self._memory = memory


def _function_of(settings: TransformSettings, worker: str) -> Callable[..., Any]:
    try:
        return load_function(settings.call, memory=settings.memory)
    except AuthorFunctionError as error:
        raise Misconfigured(f"worker {worker!r}: {error}") from error


def _listed(made: Any) -> list[Any]:
    if made is None:
        return []
    if isinstance(made, BaseModel | Derived | dict | str | bytes) or not isinstance(made, Iterable):
        return [made]
    return list(made)


def _kind(made: Any) -> str:
    """What it is that is wrong as a whole."""
    items = "" if isinstance(made, BaseModel | dict) else " (each item of a list or tuple is one)"
    return f"a value of type {type(made).__name__!r}{items}"
