"""The order of messages, as their names tell it."""


def id_order(uid: str) -> tuple[int, int]:
    """The order in which a server wrote entries: the milliseconds and the number in an entry id.

    Takes a bare entry id, or the uid that ends in one. Entries of different streams or lanes may
    be equal. Raises ValueError for what is neither.

    >>> id_order("17-10"), id_order("L3{2}/17-9")
    ((17, 10), (17, 9))
    """
    ms, _, number = uid.rpartition("/")[2].partition("-")
    return int(ms), int(number)
