"""The page of schemas in the docs is the one that the code would write."""

import json
import re
import subprocess
import sys
from pathlib import Path

from schemas import known_schemas, resolve
from schemas.reference_page import render

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "schemas.md"


def test_the_page_in_the_docs_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == render(), (
        "docs/schemas.md is stale; run: python -m schemas.reference_page > docs/schemas.md"
    )


def test_the_command_prints_the_page():
    run = [sys.executable, "-m", "schemas.reference_page"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.decode() == render()


def test_the_page_has_every_schema_and_every_type_in_it():
    page = render()
    for name in known_schemas():
        assert f"`{name}`" in page
        for part in resolve(name).json_schema().get("$defs", ()):
            assert f"### {part}\n" in page


def test_every_link_leads_to_a_heading():
    page = render()
    headings = {heading.lower() for heading in re.findall(r"^#+ (\w+)$", page, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", page)) <= headings


def test_every_example_on_the_page_validates():
    page = render()
    sections = re.split(r"^`(schemas:\w+)`: ", page, flags=re.MULTILINE)[1:]
    for name, body in zip(sections[::2], sections[1::2], strict=True):
        examples = re.findall(r"```json\n(.*?)```", body, re.DOTALL)
        assert examples
        for example in examples:
            assert json.loads(example)
            resolve(name).validator.validate_json(example)


def test_a_table_has_as_many_cells_in_every_row():
    for table in re.findall(r"(?:^\|.*\n)+", render(), re.MULTILINE):
        cells = {len(re.split(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(cells) == 1, table
