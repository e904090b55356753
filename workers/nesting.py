"""How deep a JSON text is nested, before anything parses it."""

import re

_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)


def deeper_than(limit: int, data: bytes) -> bool:
    """Whether objects and lists stand more than ``limit`` levels deep in a JSON text.

    Brackets inside strings do not count. A text that is no JSON gets an answer too.

    >>> deeper_than(1, b'{"a": [1]}'), deeper_than(2, b'{"a": "[[["}')
    (True, False)
    """
    if data.count(b"{") + data.count(b"[") <= limit:
        return False  # the usual case, at the speed of memchr
    depth = 0
    for match in _BRACKETS.finditer(data):
        opening = match[0][:1]
        if opening in b"[{":
            depth += 1
            if depth > limit:
                return True
        elif opening in b"]}":
            depth -= 1
    return False
