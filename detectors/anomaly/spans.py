"""Cutting rows where something is due by row count, wherever the batches end."""

from collections.abc import Iterator


def spans(n_seen: int, n_rows: int, size: int) -> Iterator[slice]:
    """Cut ``n_rows`` rows, which follow ``n_seen``, at every multiple of ``size`` rows in all.

    >>> list(spans(5, 6, 4))
    [slice(0, 3, None), slice(3, 6, None)]
    """
    begin = 0
    while begin < n_rows:
        end = min(begin + size - (n_seen + begin) % size, n_rows)
        yield slice(begin, end)
        begin = end
