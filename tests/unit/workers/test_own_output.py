"""Standard output of a process that answers in lines is its own."""

import json
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.servers.pipeline import SMALL, reading
from workers.replay import Given, Request

_NOISY = """
import os, subprocess, sys
from workers.own_output import own_output
with own_output() as out:
    print("printed", flush=True)
    os.write(1, b"written\\n")
    subprocess.run(["echo", "echoed"], check=True)
    out.write(b"ours\\n")
"""


def test_whatever_else_writes_goes_to_standard_error() -> None:
    done = subprocess.run([sys.executable, "-c", _NOISY], capture_output=True, check=True)
    assert done.stdout == b"ours\n"
    assert done.stderr.splitlines() == [b"printed", b"written", b"echoed"]


LOUD = """
import os

def loud(message):
    os.write(1, b"noise of an author's function\\n")
    return message.event.model_dump()
"""


@pytest.mark.parametrize(("module", "last"), [("rehearse", "tally"), ("replay", "made")])
def test_an_authors_function_that_writes_to_descriptor_1_breaks_no_line(
    tmp_path: Path, module: str, last: str
) -> None:
    (tmp_path / "loud_author.py").write_text(LOUD)
    call = {"kind": "transform", "call": "loud_author:loud", "reads": ["IN"], "writes": ["OK"]}
    with (tmp_path / "streams.yaml").open("w") as file:
        streams = {name: its for name, its in SMALL["streams"].items() if name != "BAD"}
        YAML().dump({**SMALL, "streams": streams, "workers": {"loud": call}}, file)
    fields = tuple(b64encode(part) for part in (b"data", reading()))
    asked = [
        Request(config=str(tmp_path / "streams.yaml")),
        Given(stream="IN", id="1-0", fields=fields),
    ]
    lines = "\n".join(each.model_dump_json() for each in asked)
    command = [sys.executable, "-P", "-m", f"workers.{module}"]
    done = subprocess.run(command, input=lines.encode(), capture_output=True, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert last in said[-1], (said, done.stderr)
    assert b"noise of an author's function" in done.stderr
