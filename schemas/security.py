"""Who may see a message: the security context that every payload carries."""

from enum import StrEnum

from pydantic import Field

from schemas.model import Model, Name


class Classification(StrEnum):
    """How widely a message may be seen, lowest first."""

    UNCLASSIFIED = "UNCLASSIFIED"
    RESTRICTED = "RESTRICTED"
    CONFIDENTIAL = "CONFIDENTIAL"
    SECRET = "SECRET"
    TOP_SECRET = "TOP_SECRET"

    @property
    def rank(self) -> int:
        """The place in the order, 0 (``UNCLASSIFIED``) to 4 (``TOP_SECRET``).

        >>> Classification.SECRET.rank > Classification.RESTRICTED.rank
        True
        """
        return list(Classification).index(self)


class SecurityContext(Model):
    """The tenant that owns a message, its classification, and its ROE token.

    The token names the rules of engagement under which the message was made. It is a
    secret: it never stands in a log, a metric or the lineage graph in clear.
    """

    tenant: Name = Field(description="Who owns the message.")
    classification: Classification = Field(
        Classification.UNCLASSIFIED, description="How widely it may be seen."
    )
    roe_token: Name | None = Field(None, description="Rules of engagement; a secret.")
