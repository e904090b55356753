"""Says why an author's module could not be imported: what was raised, and in which line."""

import traceback


def import_fault(error: BaseException) -> str:
    """What is wrong with the module whose import raised ``error``, as a part of a sentence.

    >>> try:
    ...     import nowhere_at_all
    ... except ImportError as error:
    ...     import_fault(error)
    "(ModuleNotFoundError: No module named 'nowhere_at_all'); is it installed or on PYTHONPATH?"
    """
    if isinstance(error, SyntaxError) and error.filename:
        return f"({type(error).__name__}: {error.msg}, {error.filename}:{error.lineno})"
    # A module's own lines stand in a frame called <module>; the first frames are the importer's.
    frames = traceback.extract_tb(error.__traceback__)[1:]
    own = [f"{frame.filename}:{frame.lineno}" for frame in frames if frame.name == "<module>"]
    said = f"({', '.join([f'{type(error).__name__}: {error}', *own[-1:]])})"
    hint = "; is it installed or on PYTHONPATH?" if isinstance(error, ModuleNotFoundError) else ""
    return said + hint
