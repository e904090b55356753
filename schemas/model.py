"""The ground every schema stands on: one strict, frozen model and the bounded types.

Every string, list and map that crosses a boundary has an upper bound, so that no
message can cost more than its stream allows.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
"""An identifier: a sensor, a host, a model. 1 to 128 characters."""

Line = Annotated[str, StringConstraints(max_length=1024)]
"""A sentence for people. At most 1,024 characters."""

Text = Annotated[str, StringConstraints(max_length=65_536)]
"""Free text, such as a prompt. At most 65,536 characters."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share or probability in [0, 1]."""

Uid = Annotated[str, StringConstraints(pattern=r"^[^/\s]{1,128}/\d{1,20}-\d{1,20}$")]
"""A message's name for ever: ``<stream>/<entry id>``, such as ``L3/1732100000000-0``."""

Version = Annotated[str, StringConstraints(pattern=r"^\d{1,4}\.\d{1,4}$")]
"""A schema version, ``major.minor``."""


class Model(BaseModel):
    """A value that flows: frozen, strict, finite numbers only, unknown fields forbidden.

    Strict means that JSON ``"12"`` is no number: the producer's bytes are forwarded
    unchanged, so what a schema accepts is what every reader downstream gets. An error's text
    quotes nothing of the payload.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        ser_json_inf_nan="null",
        hide_input_in_errors=True,
    )
