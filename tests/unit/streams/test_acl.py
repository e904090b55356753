"""The rules follow the topology, name every lane, and stand in the docs as they are printed."""

from pathlib import Path

from ruamel.yaml import YAML

from schemas.topology_file import load_topology
from streams.acl import PLACEHOLDER, roles
from supervisor.commands.acl import as_text
from tests.servers.pipeline import topology_from

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "streams.yaml"


def test_with_lanes_the_patterns_name_the_lanes_of_one_stream_only(tmp_path: Path) -> None:
    tree = YAML(typ="safe").load(REFERENCE.read_text())
    laned = topology_from(tree | {"lanes": 4}, tmp_path)
    keys = {key for role in roles(laned) for grant in role.grants for key in grant.keys}
    assert {key for key in keys if "{*}" not in key} == {"~penstock:presence"}
    assert {"%W~L3{*}", "~penstock:lease:gate:*{*}", "~penstock:seen:L3_IN{*}:*"} <= keys


def test_no_two_roles_share_a_user_and_none_has_a_password() -> None:
    found = roles(load_topology(REFERENCE))
    assert len({role.user for role in found}) == len(found)
    assert all(role.rules()[:3] == ["reset", "on", PLACEHOLDER] for role in found)


def test_nobody_may_whatever_would_undo_the_separation() -> None:
    forbidden = {"acl", "config", "flushall", "keys", "script", "xgroup|destroy", "select"}
    for role in roles(load_topology(REFERENCE)):
        allowed = {*role.commands, *(c for grant in role.grants for c in grant.commands)}
        assert not allowed & forbidden
        assert all("allkeys" not in rule and "~* " not in f"{rule} " for rule in role.rules())


def test_the_rules_in_the_docs_are_those_that_are_printed() -> None:
    printed = as_text(roles(load_topology(REFERENCE))) + "\n"
    page = (ROOT / "docs" / "security.md").read_text()
    assert (ROOT / "docs" / "acl-reference.txt").read_text() == printed, (
        "run: penstock acl > docs/acl-reference.txt"
    )
    shown = [line for line in page.splitlines() if line.startswith("ACL SETUSER")]
    assert shown
    assert [line for line in shown if line not in printed.splitlines()] == []
