"""Errors of the server become ours, each with one remedy; secrets stay out of texts."""

import pytest
from redis import exceptions

from streams.connection import connect, safe_url, translated
from streams.errors import (
    GroupMissing,
    LeaseLost,
    ScriptMissing,
    ServerAway,
    ServerFull,
    ServerRefused,
    StreamsError,
)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (exceptions.ConnectionError("refused"), ServerAway),
        (exceptions.TimeoutError("late"), ServerAway),
        (exceptions.BusyLoadingError("loading", status_code="LOADING"), ServerAway),
        (exceptions.ReadOnlyError("replica", status_code="READONLY"), ServerAway),
        (exceptions.OutOfMemoryError("full", status_code="OOM"), ServerFull),
        (exceptions.ResponseError("MISCONF cannot persist"), ServerAway),
        (exceptions.ResponseError("FENCED the lease"), LeaseLost),
        (exceptions.ResponseError("NOGROUP no such key"), GroupMissing),
        (exceptions.NoScriptError("no script", status_code="NOSCRIPT"), ScriptMissing),
        (exceptions.AuthenticationError("wrong", status_code="WRONGPASS"), ServerRefused),
        (exceptions.NoPermissionError("no", status_code="NOPERM"), ServerRefused),
        (exceptions.ResponseError("WRONGTYPE not a stream"), StreamsError),
    ],
)
def test_an_error_of_the_server_becomes_one_of_ours(
    error: Exception, ours: type[Exception]
) -> None:
    with pytest.raises(ours) as caught, translated():
        raise error
    assert type(caught.value) is ours
    assert caught.value.__cause__ is error


def test_a_url_is_shown_without_its_password() -> None:
    assert safe_url("redis://user:secret@example.org:7000/1") == "redis://example.org:7000/1"
    assert "secret" not in safe_url("rediss://:secret@h/0")


def test_a_url_that_is_none_is_refused() -> None:
    with pytest.raises(ServerRefused, match="cannot be used"):
        connect("ftp://example.org")
