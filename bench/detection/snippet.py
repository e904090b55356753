"""Python as it stands on a page: run, with what it prints below each line."""

import contextlib
import doctest
import io
from typing import Any


def played(source: str, names: dict[str, Any]) -> str:
    """Return ``source``, lines that begin with ``>>>``, with what each prints after it.

    ``names`` are those that it finds and leaves.

    >>> print(played(">>> a = 2\\n>>> a + 1\\n", {}), end="")
    >>> a = 2
    >>> a + 1
    3
    """
    lines = []
    for example in doctest.DocTestParser().get_examples(source):
        heard = io.StringIO()
        with contextlib.redirect_stdout(heard):
            exec(compile(example.source, "<page>", "single"), names)
        first, *rest = example.source.splitlines()
        lines += [f">>> {first}", *(f"... {line}" for line in rest), *heard.getvalue().splitlines()]
    return "\n".join(lines) + "\n"
