"""No payload, token or password stands in a log, a metric, an error of ours or a process title."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from streams.connection import connect, safe_url, send
from streams.errors import ServerRefused, StreamsError
from streams.publish import Outgoing, Publisher
from tests.servers.pipeline import SECURITY, SMALL, settled, topology_from, until
from tests.servers.processes import ROOT, workers
from tests.servers.stream_server import running

PASSWORD = "pass-x7Qw-word"
TOKEN = "roe-token-9f3e"
PAYLOAD = "payload-b41c-words"
SECRETS = (PASSWORD, TOKEN, PAYLOAD)

TREE: dict[str, Any] = {
    **SMALL,
    "streams": {**SMALL["streams"], "OUT": {"schema": "schemas:L3EventSchema", "sink": True}},
    "workers": {
        "gate": SMALL["workers"]["gate"],
        "fail": {
            "kind": "transform",
            "call": "secretive:fail",
            "memory": True,
            "max_attempts": 2,
            "reads": ["OK"],
            "writes": ["OUT"],
        },
    },
}
AUTHORS = """\
def fail(message, memory):
    if message.event.sensor_id.endswith("good"):
        return message.event
    if message.event.sensor_id.endswith("odd"):
        return {"sensor_id": message.event.sensor_id}
    raise ValueError(message.event.model_dump_json())
"""


def payload(sensor: str, **rest: object) -> bytes:
    security = {**SECURITY, "roe_token": TOKEN}
    measured = {"measurements": {"x": 1.0}, "security": security, **rest}
    found = {"kind": "sensor_reading", "schema_version": "1.0", "sensor_id": f"{PAYLOAD}-{sensor}"}
    return json.dumps(found | measured).encode()


MESSAGES = [
    payload("good"),
    payload("bad"),
    payload("odd"),
    payload("wrong", measurements={"x": PAYLOAD}),
    payload("extra", **{PAYLOAD: TOKEN}),
    f'{{"{PAYLOAD}": "{TOKEN}'.encode(),
]


@pytest.mark.parametrize("kind", ["valkey", "redis"])
def test_nothing_secret_is_told_by_workers_at_work(kind: str, tmp_path: Path) -> None:
    (tmp_path / "secretive.py").write_text(AUTHORS)
    topology = topology_from(TREE, tmp_path)
    login = ("--requirepass", PASSWORD)
    told = ""
    with (
        running(kind, extra=login, password=PASSWORD) as server,
        server.client() as client,
        workers(server, tmp_path / "streams.yaml") as found,
    ):
        found.start("gate")
        found.start("fail")
        Publisher(client).publish_batch("IN", [Outgoing(data, source="s") for data in MESSAGES])
        until(lambda: send(client, "XLEN", "DEAD_LETTER") == 2 and settled(client, topology))
        server.kill()
        until(lambda: "server_away" in log(found.log_of("gate")))
        server.start()
        until(lambda: "server_back" in log(found.log_of("gate")))
        for name in found.processes:
            (port,) = [line["port"] for line in lines(found.log_of(name)) if "port" in line]
            told += urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        for pid in found.alive:
            told += Path(f"/proc/{pid}/cmdline").read_text()
    told += log(tmp_path / "gate.log") + log(tmp_path / "fail.log")
    assert "entry_failed" in told
    assert "dead_letter" in told
    assert "penstock_entries_total" in told
    assert [secret for secret in SECRETS if secret in told] == []


def log(path: Path) -> str:
    return path.read_text()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log(path).splitlines()]


def test_an_error_that_ends_a_process_is_told_without_its_words() -> None:
    code = (
        "from streams.logs import configure_logs; configure_logs(json=True)\n"
        f"try: int('{PAYLOAD}')\n"
        f"except ValueError as error: raise RuntimeError('{TOKEN}') from error"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert PAYLOAD not in done.stderr
    assert TOKEN not in done.stderr
    said = json.loads(done.stderr)
    assert (said["event"], said["error"]) == ("unexpected_error", "RuntimeError")
    assert (said["caused_by"], said["at"]) == ("ValueError", "<string>:3")


URLS = [
    f"redis://user:{PASSWORD}@127.0.0.1:1/0",
    f"redis://user:{PASSWORD}/more@127.0.0.1:1/0",
    f"redis://user:{PASSWORD}?more@127.0.0.1:1/0",
    f"redis://user:{PASSWORD}@[127.0.0.1:1/0",
    f"redis://user:{PASSWORD}@127.0.0.1:port/0",
    f"redis://user:{PASSWORD}@127.0.0.1:1/0?nonsense={PASSWORD}",
    f"redis://user:{PASSWORD}@127.0.0.1:1/0?socket_timeout={PASSWORD}",
    f"ftp://user:{PASSWORD}@127.0.0.1",
    f"redis+sentinel://user:{PASSWORD}@127.0.0.1:1,127.0.0.1:2/service",
    f"redis+sentinel://user:{PASSWORD}@127.0.0.1:port/service",
    f"redis+sentinel://user:{PASSWORD}@127.0.0.1:1",
    f"redis+cluster://user:{PASSWORD}@127.0.0.1:1,127.0.0.1:port",
    f"rediss://user:{PASSWORD}@127.0.0.1:1/0?ssl_ca_certs=/nowhere&ssl_password={PASSWORD}",
]


@pytest.mark.parametrize("url", URLS)
def test_no_url_s_password_is_quoted(url: str) -> None:
    assert PASSWORD not in safe_url(url)
    with pytest.raises(StreamsError) as caught:
        send(connect(url), "PING")
    assert PASSWORD not in str(caught.value)


def test_a_wrong_password_is_not_quoted() -> None:
    with running("valkey", extra=("--requirepass", "another"), password="another") as server:
        url = server.url.replace("another", PASSWORD)
        with connect(url) as client, pytest.raises(ServerRefused) as caught:
            send(client, "PING")
    assert PASSWORD not in str(caught.value)
