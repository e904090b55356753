"""One HTTP request to a process of ours, past any proxy, with a time-out."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException


def ask(
    method: str,
    host: str,
    port: int,
    path: str,
    *,
    timeout_s: float,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> tuple[int, bytes]:
    """Status and body of the answer.

    Raises OSError when there is none within ``timeout_s`` seconds a step.
    """
    connection = HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request(method, path, body, dict(headers or {}))
        answer = connection.getresponse()
        return answer.status, answer.read()
    except HTTPException as error:
        raise OSError(f"{host}:{port}{path} gave no proper answer: {error!r}") from error
    finally:
        connection.close()
