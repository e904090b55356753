"""Retention: removing what is older than its layer may be, in bounded batches; and holds.

What is removed is gone, with one exception: a message that one which stays was made from, or is
about, keeps its uid and nothing else, so that the history of what stays has no holes. A hold on
a message keeps it, all it was made from, and the findings about any of them, whatever their age.
Holds and cuts are links of the hash chain, so that a verification knows what may be missing.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from lineage.chain import ACTS, ChainKey, append
from lineage.errors import UnknownMessageError
from lineage.materialise import materialised
from lineage.members import Members
from lineage.store import LineageStore
from lineage.transaction import Transaction

BATCH = 2000
"""How many messages one transaction removes."""


@dataclass(frozen=True, slots=True)
class Ages:
    """How old messages may become, in seconds: by layer, and the rest. None: any age."""

    rest_s: float | None = None
    layers_s: Mapping[int, float | None] = field(default_factory=dict)

    def cut(self, layer: int | None, now_ms: int) -> int | None:
        """The time in ms before which a layer's messages go; None: none of them goes.

        >>> Ages(60.0, {9: 3600.0}).cut(9, 3_600_000), Ages(None).cut(3, 5)
        (0, None)
        """
        age_s = self.rest_s if layer is None else self.layers_s.get(layer, self.rest_s)
        return None if age_s is None else now_ms - int(age_s * 1000)


def due(store: LineageStore, ages: Ages, now_ms: int) -> dict[int | None, int]:
    """How many messages of each layer would go; what is held by now does not count."""
    return {
        layer: store.inspect("retain_due", layer=layer, cut=cut)[0]["due"]
        + sum(row["n"] for row in store.inspect("retain_batches_due", layer=layer, cut=cut))
        for layer, cut in _cuts(store, ages, now_ms).items()
    }


def retain(
    store: LineageStore,
    key: ChainKey,
    ages: Ages,
    now_ms: int,
    *,
    batch: int = BATCH,
    done: Callable[[int], None] = lambda removed: None,
) -> int:
    """Remove what is older than it may be; returns how many messages that were.

    Each batch is a transaction of its own, and ``done`` is told how much went: a run that is cut
    short is continued by the next. Raises :class:`lineage.errors.StoreError` when the store is
    away.
    """
    total = 0
    for removed in retaining(store, key, ages, now_ms, batch=batch):
        total += removed
        done(removed)
    return total


def retaining(
    store: LineageStore, key: ChainKey, ages: Ages, now_ms: int, *, batch: int = BATCH
) -> Iterator[int]:
    """:func:`retain` in steps: each is one transaction, and gives how many messages it removed.

    What was written or held between two steps is seen by the next. Messages of a batch go with it,
    once the last of them is old enough and none is held.
    """
    cuts = _cuts(store, ages, now_ms)
    store.transact(_mark)
    if not any(due(store, ages, now_ms).values()):
        return
    said = {"none" if layer is None else str(layer): cut for layer, cut in cuts.items()}
    store.transact(lambda transaction: _act(transaction, key, now_ms, cuts=said))
    for layer, cut in cuts.items():
        while removed := _remove_batches(store, layer, cut, batch, now_ms):
            yield removed
        since = 0
        while True:
            chosen, since = _remove(store, layer, cut, since, batch, now_ms)
            if not chosen:
                break
            yield chosen
    store.transact(lambda transaction: transaction.rows("retain_agents"))


def hold(store: LineageStore, key: ChainKey, uid: str, now_ms: int, reason: str = "") -> None:
    """Keep a message and its history until :func:`release`; holding again changes nothing.

    Raises :class:`lineage.errors.UnknownMessageError` when no record mentions it.
    """

    def work(transaction: Transaction) -> None:
        for chain in transaction.rows("chain_lanes"):  # no writer comes in between
            transaction.rows("chain_head", lane=chain["lane"])
        transaction.add(materialised(Members(transaction.rows), {uid}))
        if not transaction.rows("known_message", uid=uid):
            raise UnknownMessageError(f"no lineage record mentions {uid!r}; nothing is held")
        if uid in {row["uid"] for row in transaction.rows("holds")}:
            return
        transaction.rows("hold_add", uid=uid, at_ms=now_ms, reason=reason)
        _mark(transaction)
        _act(transaction, key, now_ms, hold=uid, reason=reason)

    store.transact(work)


def release(store: LineageStore, key: ChainKey, uid: str, now_ms: int) -> bool:
    """Let a message go its way again; returns whether there was a hold on it."""

    def work(transaction: Transaction) -> bool:
        held = uid in {row["uid"] for row in transaction.rows("holds")}
        if held:
            transaction.rows("hold_drop", uid=uid)
            _mark(transaction)
            _act(transaction, key, now_ms, release=uid)
        return held

    return store.transact(work)


def _cuts(store: LineageStore, ages: Ages, now_ms: int) -> dict[int | None, int]:
    layers = [row["layer"] for row in store.inspect("retain_layers")]
    found = {layer: ages.cut(layer, now_ms) for layer in layers}
    return {layer: cut for layer, cut in found.items() if cut is not None}


def _mark(transaction: Transaction) -> None:
    transaction.rows("retain_unmark")
    transaction.rows("retain_mark")


def _act(transaction: Transaction, key: ChainKey, now_ms: int, **said: Any) -> None:
    head = transaction.rows("chain_head", lane=ACTS)
    n = head[0]["n"] + 1 if head else 1
    body = json.dumps({"at_ms": now_ms, **said}, sort_keys=True).encode()
    append(transaction, key, ACTS, [(f"{ACTS}/{n}", body)])


def _remove(
    store: LineageStore, layer: int | None, cut: int, since: int, limit: int, now_ms: int
) -> tuple[int, int]:
    """Remove one batch; how many messages were chosen, and the time of the latest."""

    def work(transaction: Transaction) -> tuple[int, int]:
        _mark(transaction)  # a hold may have come since the last batch
        transaction.rows("retain_choose", layer=layer, cut=cut, since=since, limit=limit)
        (row,) = transaction.rows("retain_chosen")
        if row["chosen"]:
            _drop(transaction, now_ms)
        return row["chosen"], row["latest"] or 0

    return store.transact(work)


def _remove_batches(
    store: LineageStore, layer: int | None, cut: int, limit: int, now_ms: int
) -> int:
    """Remove batches of about so many messages, at least one; how many messages that were."""

    def work(transaction: Transaction) -> int:
        _mark(transaction)
        rows = transaction.rows("retain_batches_due", layer=layer, cut=cut, limit=limit)
        counts = list(accumulate(row["n"] for row in rows))
        chosen = rows[: 1 + sum(count < limit for count in counts)]
        if chosen:
            transaction.rows("retain_batches_choose", ids=[row["id"] for row in chosen])
            transaction.rows("retain_members_choose")
            _drop(transaction, now_ms)
        return counts[len(chosen) - 1] if chosen else 0

    return store.transact(work)


def _drop(transaction: Transaction, now_ms: int) -> None:
    for name in _STEPS:
        transaction.rows(name, **({"at_ms": now_ms} if name == "retain_stubs" else {}))


_STEPS = (
    "retain_orphans", "retain_unused", "retain_derived", "retain_flagged", "retain_supersedes",
    "retain_findings", "retain_touched", "retain_batches_touched", "retain_members", "retain_spans",
    "retain_batches", "retain_stubs", "retain_entities", "retain_idle", "retain_associated",
    "retain_left_used", "retain_activities",
)  # fmt: skip
