"""Who may see a page: the name that a loopback page is called by, the token, and the headers.

A page on loopback is open to whoever is on the machine, so it answers to loopback names only: a
site that has its own name point here (DNS rebinding) is turned away. Everywhere else whoever
reads needs the token, but for what probes and scrapers ask for.
"""

import secrets
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""What every answer says of how a browser may use it: our own files, and nothing inline."""


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("")
    (True, True, True, False)
    """
    name = host.strip("[]").lower()
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def called_rightly(host_header: str) -> bool:
    """Whether a ``Host`` header is one that a loopback page answers to.

    >>> called_rightly("localhost:9464"), called_rightly("[::1]:9464"), called_rightly("evil.org")
    (True, True, False)
    """
    try:
        return is_loopback(urlsplit(f"//{host_header}").hostname or "")
    except ValueError:
        return False  # no host has such a name


def has_token(authorization: str, token: str) -> bool:
    """Whether the header ``Authorization`` carries the token; takes as long for any other."""
    given = authorization.encode("utf-8", "surrogateescape")
    return secrets.compare_digest(given, f"Bearer {token}".encode())
