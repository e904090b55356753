"""Finds the function that a transform calls, by the name it has in ``streams.yaml``."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

from schemas.import_fault import import_fault


class AuthorFunctionError(ValueError):
    """A name leads to no function that a transform can call."""


class AuthorImportError(AuthorFunctionError):
    """The module that the name gives cannot be imported."""


def load_function(call: str, *, memory: bool) -> Callable[..., Any]:
    """The function called ``call`` (``package.module:function``); imports its module.

    With ``memory`` it has to take ``(message, memory)``, without it ``(message)``.

    Raises AuthorFunctionError when the module cannot be imported, has no such name, or what it
    has cannot be called so, or would return something to await.

    >>> load_function("json:dumps", memory=False).__name__
    'dumps'
    """
    module_name, _, name = call.partition(":")
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        # Importing runs the author's code, which may raise anything.
        raise AuthorImportError(f"{call} cannot be imported {import_fault(error)}") from error
    try:
        function = getattr(module, name)
        inspect.signature(function).bind(*range(2 if memory else 1))
    except AttributeError as error:
        raise AuthorFunctionError(f"module {module_name!r} has no {name!r}") from error
    except (TypeError, ValueError) as error:
        wanted = "(message, memory)" if memory else "(message)"
        raise AuthorFunctionError(f"{call} must take {wanted}: {error}") from error
    if _awaits(function):
        raise AuthorFunctionError(
            f"{call} is 'async def', and a transform takes what its function returns: write 'def', "
            "with asyncio.run inside where something has to be awaited"
        )
    return function  # type: ignore[no-any-return]


def _awaits(function: Any) -> bool:
    own = inspect.isroutine(function) or inspect.isclass(function)
    called = [function] if own else [function, type(function).__call__]
    return any(inspect.iscoroutinefunction(f) or inspect.isasyncgenfunction(f) for f in called)
