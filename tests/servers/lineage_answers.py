"""Whether a lineage store answers every named question as the model in memory does."""

from hypothesis import strategies as st

from lineage.chain import ChainKey
from lineage.model import StampedRecord
from lineage.store import LineageStore, open_store
from lineage.verify import verify
from tests.servers.lineage_oracle import Oracle
from tests.servers.lineage_questions import Questions
from tests.servers.lineage_records import LAYERS, PRODUCED

ALL = 1_000_000
"""A bound on rows that no graph of the tests has."""
_NAMED: list[dict[str, str]] = [
    {},
    {"worker": "worker_0"},
    {"worker": "worker_1", "version": "0.1.0"},
    {"worker": "worker_1", "version": "9"},
    {"schema": "acme"},
    {"schema": "Zeta", "version": "1.1"},
    {"producer": "acme"},
]


def deliver_and_ask(url: str, data: st.DataObject, records: list[StampedRecord]) -> None:
    """Write records in any order, in two parts and partly twice; ask about a few messages."""
    oracle = Oracle(records, LAYERS)
    again = data.draw(st.lists(st.sampled_from(records), max_size=3))
    arrivals = data.draw(st.permutations(records + again))
    cut = data.draw(st.integers(0, len(arrivals)))
    uids = data.draw(st.lists(st.sampled_from([*oracle.uids, "L3/0-0"]), max_size=3, unique=True))
    with open_store(url, LAYERS) as store:
        store.write(arrivals[:cut])
        store.write(arrivals[cut:])
        answers_like(store, oracle, uids)
        assert verify(store, ChainKey()).faults == []


def answers_like(
    store: LineageStore, oracle: Oracle, uids: list[str], since: int = 2, until: int = 13
) -> None:
    """Ask about a store as a whole, about a span of time in ms, and about some messages."""
    if not store.counts()["batches"]:
        assert store.counts() == oracle.counts()
    gaps = {"inputs": PRODUCED, "since": since, "until": until + 1}
    assert store.query("lineage_gaps", **gaps) == oracle.gaps(PRODUCED, since, until + 1)
    for uid in uids:
        for way in ("up", "down"):
            assert store.query(f"trace_{way}", uid=uid, limit=ALL) == oracle.trace(uid, way)
            assert store.query(f"edges_{way}", uid=uid, limit=ALL) == oracle.edges(uid, way)
        assert store.query("findings_of", uid=uid, limit=ALL) == oracle.findings_of(uid)
        assert store.query("audit_trail", uid=uid, limit=ALL) == oracle.audit_trail(uid)
    assert store.query("ancestry", uids=uids, limit=ALL) == oracle.ancestry(uids)
    for finding in oracle.finding_uids[:2]:
        assert store.query("root_cause", finding=finding, limit=ALL) == oracle.root_cause(finding)
    span = {"since": since, "until": until}
    _questions_like(store, Questions(oracle), oracle, uids, span)


def _questions_like(
    store: LineageStore, hand: Questions, oracle: Oracle, uids: list[str], span: dict[str, int]
) -> None:
    for name in ("violations_by_producer", "findings_by_version", "policy_crossings", "findings"):
        assert store.query(name, **span, limit=ALL) == getattr(hand, name)(**span), name
    for tenant in (None, "acme"):
        report = hand.access_report(tenant, **span)
        assert store.query("access_report", tenant=tenant, **span, limit=ALL) == report
    some = oracle.finding_uids[::2]
    for name in ("shared_root_cause", "incident_causes", "incident_links"):
        assert store.query(name, findings=some) == getattr(hand, name)(some), name
    for uid in uids:
        assert store.query("who_consumed", uid=uid, limit=ALL) == hand.who_consumed(uid)
    for named in (*_NAMED, *({"uid": uid} for uid in uids[:1])):
        for name in ("impact", "taint"):
            assert store.query(name, **span, **named, limit=ALL) == getattr(hand, name)(
                **span, **named
            ), name
