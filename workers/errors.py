"""What keeps a worker from starting."""


class Misconfigured(Exception):
    """The topology asks for something that cannot be: it takes a person to mend it."""
