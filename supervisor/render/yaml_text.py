"""Trees as YAML, the way a person would write them: in their order, long texts as blocks."""

from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString


def as_yaml(*documents: Any) -> str:
    """Documents as one text, separated by ``---``."""
    yaml = YAML()
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    parts = []
    for document in documents:
        out = StringIO()
        yaml.dump(_blocks(document), out)
        parts.append(out.getvalue())
    return "---\n".join(parts)


def _blocks(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _blocks(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_blocks(value) for value in tree]
    return LiteralScalarString(tree) if isinstance(tree, str) and "\n" in tree else tree
