"""A real Prometheus and a real Alertmanager on free loopback ports, and a receiver of alerts."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
from ruamel.yaml import YAML

from tests.servers.pipeline import until
from tests.servers.ports import free_port

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
PACKAGES = {
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
}


def tool(name: str) -> str:
    """A program of Debian's; skips on a laptop, and fails in CI, where it is missing."""
    found = shutil.which(name)
    if found is None:
        said = f"Debian's {name} is not installed: apt-get install {PACKAGES[name]}"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    return found


def loaded(path: Path) -> Any:
    """What stands in a YAML file."""
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


def rules() -> list[dict[str, Any]]:
    """Every rule of every group."""
    return [rule for path in RULES for group in loaded(path)["groups"] for rule in group["rules"]]


class Receiver:
    """Takes what Alertmanager posts: for each alert the latest status it was told with."""

    def __init__(self) -> None:
        told: dict[tuple[str, str, str], str] = {}
        self.told = told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    labels = alert["labels"]
                    name = (labels["alertname"], labels.get("layer", ""), body["receiver"])
                    told[name] = alert["status"]
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class Monitoring:
    """Where Prometheus is, and what the receiver heard."""

    prometheus: str
    receiver: Receiver

    def query(self, expression: str) -> list[Any]:
        """What Prometheus makes of an expression at this moment; HTTPError where it is none."""
        found: list[Any] = self._asked(f"query?{urlencode({'query': expression})}")["result"]
        return found

    def groups(self) -> list[Any]:
        """Every group of rules, and how each of its rules went."""
        found: list[Any] = self._asked("rules")["groups"]
        return found

    def _asked(self, what: str) -> Any:
        with urlopen(f"{self.prometheus}/api/v1/{what}", timeout=5) as answer:
            return json.load(answer)["data"]


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def quickened(tree: Any) -> Any:
    """Rules in which a minute lasts a second, but four at least: a rate needs a few scrapes."""
    if isinstance(tree, list):
        return [quickened(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        key: re.sub(r"\b(\d+)m\b", _seconds, value) if key in ("expr", "for") else quickened(value)
        for key, value in tree.items()
    }


def _seconds(minutes: re.Match[str]) -> str:
    return f"{max(4, int(minutes[1]))}s"


def _configured(
    directory: Path, job: str, targets: Sequence[str], alertmanager: str, receiver: str
) -> None:
    """The deployed files with other addresses, and times that suit a test."""
    settings = loaded(DEPLOY / "prometheus" / "prometheus.yml")
    settings["global"] = {
        "scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "250ms",
    }  # fmt: skip
    settings["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [alertmanager]
    settings["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": list(targets)}]}
        for scraped in settings["scrape_configs"]
        if scraped["job_name"] == job
    ]
    routing = loaded(DEPLOY / "alertmanager" / "alertmanager.yml")
    times = {"group_wait": "100ms", "group_interval": "500ms"}
    routing["route"] |= times
    routing["route"]["routes"][0] |= times
    for each in routing["receivers"]:
        each["webhook_configs"] = [{"url": receiver, "send_resolved": True}]
    files = {"prometheus.yml": settings, "alertmanager.yml": routing}
    files |= {f"rules/{path.name}": quickened(loaded(path)) for path in RULES}
    (directory / "rules").mkdir()
    for name, tree in files.items():
        with (directory / name).open("w") as file:
            YAML().dump(tree, file)


@contextmanager
def monitoring(directory: Path, *targets: str, job: str = "penstock") -> Iterator[Monitoring]:
    """Both servers as they are deployed, scraping ``targets`` (``host:port``), while it lasts."""
    one, other = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        receiver = Receiver()
        stack.callback(receiver.close)
        _configured(directory, job, targets, other, receiver.url)
        for command in (
            [
                tool("prometheus-alertmanager"), f"--web.listen-address={other}",
                f"--config.file={directory}/alertmanager.yml", "--cluster.listen-address=",
                f"--storage.path={directory}/alerts",
            ],
            [
                tool("prometheus"), f"--web.listen-address={one}",
                f"--config.file={directory}/prometheus.yml",
                f"--storage.tsdb.path={directory}/series", "--rules.alert.resend-delay=500ms",
            ],
        ):  # fmt: skip
            stack.enter_context(_process(command, directory / f"{Path(command[0]).name}.log"))
        for address in (one, other):
            until(lambda at=address: _answers(f"http://{at}/-/ready"), what=f"{address} is ready")
        yield Monitoring(f"http://{one}", receiver)


@contextmanager
def _process(command: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)
