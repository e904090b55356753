"""One thing told to people as a sentence, and to programs as one JSON object."""

import json
from typing import Any

import typer


def tell(sentence: str, as_json: bool, **facts: Any) -> None:
    """Print the sentence, or the facts that it tells."""
    typer.echo(json.dumps(facts, ensure_ascii=False) if as_json else sentence)
