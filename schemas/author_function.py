"""Finds the function that a transform calls, by the name it has in ``streams.yaml``."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any


class AuthorFunctionError(ValueError):
    """A name leads to no function that a transform can call."""


def load_function(call: str, *, memory: bool) -> Callable[..., Any]:
    """The function called ``call`` (``package.module:function``); imports its module.

    With ``memory`` it has to take ``(message, memory)``, without it ``(message)``.

    Raises AuthorFunctionError when the module cannot be imported, has no such name, or what it
    has cannot be called so.

    >>> load_function("json:dumps", memory=False).__name__
    'dumps'
    """
    module_name, _, name = call.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        # Importing runs the author's code, which may raise anything.
        cause = f"{type(error).__name__}: {error}"
        raise AuthorFunctionError(f"{call} cannot be imported ({cause})") from error
    try:
        function = getattr(module, name)
        inspect.signature(function).bind(*range(2 if memory else 1))
    except AttributeError as error:
        raise AuthorFunctionError(f"module {module_name!r} has no {name!r}") from error
    except (TypeError, ValueError) as error:
        wanted = "(message, memory)" if memory else "(message)"
        raise AuthorFunctionError(f"{call} must take {wanted}: {error}") from error
    return function  # type: ignore[no-any-return]
