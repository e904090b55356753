"""100,000 messages in every lineage store: each question is answered as by the model in memory."""

import random

import pytest

from lineage.model import StampedRecord
from lineage.store import open_store
from tests.servers.lineage_answers import answers_like
from tests.servers.lineage_oracle import Oracle
from tests.servers.lineage_places import Fresh
from tests.servers.lineage_records import LAYERS, MESSAGES_PER_BATCH, many_messages

pytestmark = pytest.mark.timeout(600)  # the first use of Neo4j may wait for Maven

BATCHES = 80
RECORDS = 48
"""Records of one write: what a lineage worker that is behind reads."""


@pytest.fixture(scope="module")
def records() -> list[StampedRecord]:
    return list(many_messages(BATCHES, seed=7))


@pytest.fixture(scope="module")
def oracle(records: list[StampedRecord]) -> Oracle:
    return Oracle(records, LAYERS)


def test_a_hundred_thousand_messages_are_answered_as_by_hand(
    fresh: Fresh, records: list[StampedRecord], oracle: Oracle
) -> None:
    assert len(oracle.uids) == BATCHES * MESSAGES_PER_BATCH > 100_000
    chance = random.Random(8)
    uids = [*chance.sample(oracle.uids, 2), chance.choice(oracle.finding_uids)]
    with open_store(fresh(), LAYERS) as store:
        for start in range(0, len(records), RECORDS):
            store.write(records[start : start + RECORDS])
        answers_like(store, oracle, uids, since=300, until=420)
