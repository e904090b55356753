"""systemd units of a pipeline: a template for each worker, and a target that starts them all."""

import re
from pathlib import PurePosixPath

from schemas.topology import Topology
from supervisor.render.where import BadPlace, drain_s, head, label, memory_mib, names_of
from supervisor.scaler import processes_at_first

_UNIT = """\
[Unit]
Description=Penstock pipeline {pipeline}, worker {worker}, process %i
PartOf={target}
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
# The process that works tells how it stands, and its keeper is the one that is started.
NotifyAccess=all
ExecStart={python} -m workers {worker} --config {config}
User=penstock
Group=penstock
EnvironmentFile={environment}
Environment=PENSTOCK_DATA_DIR=/var/lib/penstock
StateDirectory=penstock
StateDirectoryMode=0700
# There is no last try: what a person has to mend is tried until it is mended.
Restart=always
RestartSec=2
# From systemd 254 on the wait grows; an older one says that it ignores these two.
RestartSteps=5
RestartMaxDelaySec=30
# Fed while the loops come round; /livez tells the same.
WatchdogSec=30
TimeoutStopSec={drain_s}
KillMode=mixed
MemoryMax={memory_mib}M
# The keeper starts a process anew that ran out of memory, and its entry's attempts are counted.
OOMPolicy=continue

NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectProc=invisible
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""

_TARGET = """\
[Unit]
Description=Penstock pipeline {pipeline}
Wants={instances}

[Install]
WantedBy=multi-user.target
"""

_PLAIN = re.compile(r"[\w./%$@:+,=~-]+")


def units(
    topology: Topology,
    python: PurePosixPath,
    config: PurePosixPath,
    environment: PurePosixPath,
) -> dict[str, str]:
    """Unit files by name. The target wants as many instances of a template as ``replicas`` says.

    ``python`` runs the workers, ``config`` is the topology file and ``environment`` the file of
    settings, secrets included, on the machine that the units are for.

    Raises BadPlace for a path that no unit can have.
    """
    pipeline, names = label(topology.name), names_of(topology)
    target = f"penstock-{pipeline}.target"
    found, instances = {}, []
    for worker, settings in topology.workers.items():
        found[f"penstock-{names[worker]}@.service"] = head("systemd") + _UNIT.format(
            pipeline=pipeline,
            worker=worker,
            target=target,
            python=_word(python),
            config=_word(config).replace("$", "$$"),
            environment=_path(environment),
            drain_s=drain_s(settings),
            memory_mib=memory_mib(settings),
        )
        for number in range(1, processes_at_first(topology, worker) + 1):
            instances.append(f"penstock-{names[worker]}@{number}.service")
    said = _TARGET.format(pipeline=pipeline, instances=" ".join(instances))
    return {target: head("systemd") + said, **found}


def _path(path: PurePosixPath) -> str:
    """A path as a whole value: ``%`` would begin a specifier."""
    if not str(path).isprintable():
        raise BadPlace(f"{str(path)!r} has a character in it that no unit can have")
    return str(path).replace("%", "%%")


def _word(path: PurePosixPath) -> str:
    """A path as one word of a command line."""
    text = _path(path)
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
