"""``penstock render``: the files that run the workers on Kubernetes, systemd or Compose."""

import json
from pathlib import Path
from typing import Annotated

import typer

from supervisor.context import Context

family = typer.Typer(
    name="render",
    help="Make the files that run the workers elsewhere, from the topology.",
    no_args_is_help=True,
)

Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write the files there; else they are printed."),
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print a JSON object from each file's name to its text.")
]
Image = Annotated[str | None, typer.Option(help="The image; else penstock and our version.")]


def register(app: typer.Typer) -> None:
    """Add the family to the command."""
    app.add_typer(family)


@family.command()
def kubernetes(
    context: typer.Context,
    out: Out = None,
    image: Image = None,
    namespace: Annotated[str, typer.Option(help="The namespace of everything.")] = "penstock",
    redis: Annotated[
        str | None, typer.Option(metavar="URL", help="The stream server, without a password.")
    ] = None,
    neo4j: Annotated[
        str | None, typer.Option(metavar="URL", help="The graph, without a password.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make manifests: for each worker a Deployment, a disruption budget and a KEDA ScaledObject.

    The servers are 'redis' and 'neo4j' in the same namespace unless you name others. What is
    secret comes from the Secret 'penstock', which you make: docs/deploying.md has its keys.

    Example: penstock render kubernetes --out deploy/kubernetes
    """
    from supervisor.render.kubernetes import manifests
    from supervisor.render.where import Where, dns_label

    penstock = Context.of(context)
    topology, namespace = penstock.topology(), dns_label(namespace)
    where = Where(
        _image(image),
        f"redis://redis.{namespace}.svc:6379/0" if redis is None else redis,
        f"bolt://neo4j.{namespace}.svc:7687" if neo4j is None else neo4j,
    )
    text = penstock.config.read_text(encoding="utf-8")
    _deliver(manifests(topology, text, where, namespace), out, as_json)


@family.command()
def systemd(
    context: typer.Context,
    out: Out = None,
    python: Annotated[
        str, typer.Option(metavar="PATH", help="The Python that has Penstock installed.")
    ] = "/opt/penstock/venv/bin/python",
    topology_file: Annotated[
        str, typer.Option("--topology", metavar="PATH", help="Where the topology file will be.")
    ] = "/etc/penstock/streams.yaml",
    environment: Annotated[
        str, typer.Option(metavar="PATH", help="Where the file of settings will be.")
    ] = "/etc/penstock/penstock.env",
    as_json: AsJson = False,
) -> None:
    """Make units: a template for each worker, and a target that starts its processes.

    Example: penstock render systemd --out /etc/systemd/system
    """
    from pathlib import PurePosixPath

    from supervisor.render.systemd import units

    paths = (PurePosixPath(path) for path in (python, topology_file, environment))
    _deliver(units(Context.of(context).topology(), *paths), out, as_json, between="\n")


@family.command()
def compose(
    context: typer.Context, out: Out = None, image: Image = None, as_json: AsJson = False
) -> None:
    """Make a Compose file with a service for each worker, to be laid over compose.yaml.

    Example: penstock render compose --out deploy/compose
    """
    from supervisor.render.compose import services
    from supervisor.render.where import Where

    where = Where(_image(image), "redis://redis:6379/0", "bolt://neo4j:7687")
    _deliver(services(Context.of(context).topology(), where), out, as_json)


def _image(named: str | None) -> str:
    from importlib.metadata import version

    return f"penstock:{version('penstock')}" if named is None else named


def _deliver(
    files: dict[str, str], out: Path | None, as_json: bool, *, between: str = "---\n"
) -> None:
    """Write the files, and tell their names; or print them all, with a line between them."""
    if out is None:
        named = (f"# {name}\n{text}" for name, text in files.items())
        typer.echo(json.dumps(files, indent=2) if as_json else between.join(named), nl=as_json)
        return
    out.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (out / name).write_text(text, encoding="utf-8")
    paths = [str(out / name) for name in files]
    typer.echo(json.dumps(paths, indent=2) if as_json else "\n".join(paths))
