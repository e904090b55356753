"""A distribution as rows of bars, for a terminal and for a file alike."""

from collections.abc import Iterator, Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """A bar of ``share`` (in [0, 1]) of ``width`` characters, to an eighth of one.

    >>> bar(0.5, 5), bar(0.01, 5), bar(0.0, 5)
    ('██▌', '▏', '')
    """
    eighths = round(share * width * 8)
    if share > 0.0:
        eighths = max(1, eighths)
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def histogram(edges: Sequence[float], shares: Sequence[float], width: int = 40) -> Iterator[str]:
    """A line for each bin: its lower edge, its share of all values, and a bar.

    >>> for line in histogram([0.0, 0.5, 1.0], [0.25, 0.75], width=8):
    ...     print(line)
      0   25.0 %  ██▋
    0.5   75.0 %  ████████
    """
    labels = [f"{edge:.5g}" for edge in edges[:-1]]
    widest, most = max(map(len, labels)), max(*shares, 1e-300)
    for label, share in zip(labels, shares, strict=True):
        yield f"{label:>{widest}}  {100.0 * share:5.1f} %  {bar(share / most, width)}".rstrip()
