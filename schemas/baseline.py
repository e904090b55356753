"""What a stream's fields looked like when somebody said that this is normal: stored baselines."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Line, Model, Name, Uid, Version

Change = Literal["set", "freeze", "thaw", "reset"]
"""What made a version: a baseline was built, protected, released from protection, or removed."""


class FieldBaseline(Model):
    """One field's distribution, and the traffic that it was built from."""

    size: Annotated[int, Field(ge=1, le=2**53, description="Values it was built from.")]
    first: Uid = Field(description="The first message of that traffic.")
    last: Uid = Field(description="The last message of that traffic.")
    set_in: Annotated[int, Field(ge=1, description="The version that it was set in.")]
    frozen: bool = Field(False, description="Whether it is protected from `set` and `reset`.")
    learnt: bool = Field(
        False, description="Whether a worker set it by itself, of what its detectors learnt too."
    )
    sketch: Annotated[
        str, Field(max_length=200_000, description="The packed quantile sketch, in Base64.")
    ]


class Baseline(Model):
    """The baselines of one stream (an entry of ``penstock:baseline:<stream>``), all together.

    Each change appends a whole version, so the newest entry says all that is valid.
    """

    schema_version: Version = "1.0"
    stream: Name = Field(description="The stream, without its lane.")
    version: Annotated[int, Field(ge=1, description="Counts the changes.")]
    change: Change = Field(description="What made this version.")
    changed: Annotated[tuple[Name, ...], Field(max_length=256, description="Of which fields.")]
    by: Name = Field(description="User and process that made it.")
    at_ms: Annotated[int, Field(ge=0, le=2**53, description="When, ms since the epoch.")]
    note: Line = Field("", description="Why, in words of who made it.")
    fields: Annotated[
        dict[Name, FieldBaseline], Field(max_length=256, description="By dotted path.")
    ]
