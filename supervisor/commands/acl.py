"""``penstock acl``: the least that each role has to be allowed on the stream server."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor.context import Context

if TYPE_CHECKING:
    from streams.acl import Role

_HEAD = """\
# The least that each role needs, for redis-cli or valkey-cli. In the placeholder's stead goes the
# digest of each user's password: printf %s "$password" | sha256sum
"""


def register(app: typer.Typer) -> None:
    """Add the verb to the command."""
    app.command()(acl)


def acl(
    context: typer.Context,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list of roles and their rules.")
    ] = False,
) -> None:
    """Print the ACL rules that each worker, producer, reader and operator needs, and no more.

    Nothing is sent to a server, and no password is printed: a placeholder stands for each.

    Example: penstock acl > rules.txt
    """
    from streams.acl import roles

    found = roles(Context.of(context).outline())
    typer.echo(as_text(found) if not as_json else json.dumps([_said(r) for r in found], indent=2))


def as_text(found: "Sequence[Role]") -> str:
    """One ``ACL SETUSER`` line a role, under a line that says what the role is for."""
    lines = [
        f"# {role.purpose}\nACL SETUSER {role.user} {' '.join(role.rules())}" for role in found
    ]
    return _HEAD + "\n".join(lines)


def _said(role: "Role") -> dict[str, object]:
    return {"user": role.user, "purpose": role.purpose, "rules": role.rules()}
