"""Streams that the topology does not name any more: what they hold, and what to do about it."""

from streams.errors import StreamsError
from streams.keys import Lane
from streams.observe import StreamState, stream_states
from supervisor.changes import Dropped
from supervisor.context import Context
from supervisor.parts import Applied


def dropped(penstock: Context, old: Applied, new: Applied) -> list[Dropped]:
    """The streams of the old file that the new one has not, and what each holds now."""
    names = [name for name in old.topology.streams if name not in new.topology.streams]
    if not names:
        return []
    try:
        with penstock.client() as client:
            states = stream_states(client, old.topology, names)
    except StreamsError as error:
        unseen = f"what it holds cannot be seen: {error}"
        return [Dropped(name, what=(unseen,)) for name in names]
    return [Dropped(state.name, what=_told(state)) for state in states]


def _told(state: StreamState) -> tuple[str, ...]:
    if state.length or state.groups:
        return said(state), remedy(state)
    return ()


def said(state: StreamState) -> str:
    """What a stream holds that the topology does not name."""
    held = [_of_group(name, number) for name, number in unread(state).items()]
    return f"its {state.length:,} entries stay on the server; " + (
        ", ".join(held) or "none is unread"
    )


def unread(state: StreamState) -> dict[str, int | None]:
    """How many entries each group has not acknowledged, where it has any; None: nobody knows."""
    numbers = {g.worker: None if g.lag is None else g.lag + g.pending for g in state.groups}
    return {worker: number for worker, number in numbers.items() if number != 0}


def _of_group(group: str, number: int | None) -> str:
    return f"{'an unknown number' if number is None else f'{number:,}'} unread by {group!r}"


def remedy(state: StreamState) -> str:
    """What to do about it."""
    key = Lane(0, state.lanes).stream(state.name)
    delete = f"if nobody needs them: DEL {key}" + (
        ", and so on each lane" if state.lanes > 1 else ""
    )
    waiting = list(unread(state))
    if not waiting:
        return delete
    readers = " and ".join(repr(name) for name in waiting)
    return f"have {state.name} in the topology until it is read by {readers}; {delete}"
