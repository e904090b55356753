"""Holding a lane: after a doubt, what was sent before is fenced off."""

from streams.connection import Client
from streams.keys import Lane
from streams.lease import Lease
from workers.tenure import Tenure


def test_a_doubt_draws_a_new_token(client: Client) -> None:
    lease = Lease(client, Lane(), "gate", "owner", 10.0)
    tenure = Tenure(lease, 0, "me", None)
    assert tenure.take()
    before = lease.token
    assert tenure.take()
    assert lease.token == before
    tenure.doubt()
    assert tenure.take()
    assert lease.token not in (None, before)
    again = lease.token
    assert tenure.take()
    assert lease.token == again, "one doubt, one new token"
    tenure.leave()
    assert not lease.taken()


def test_a_lane_that_another_took_meanwhile_is_not_ours(client: Client) -> None:
    ours, theirs = (Lease(client, Lane(), "gate", "owner", 10.0) for _ in range(2))
    tenure = Tenure(ours, 0, "me", None)
    assert tenure.take()
    ours.release()
    assert theirs.acquire("they")
    tenure.doubt()
    assert not tenure.take()
