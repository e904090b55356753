"""When the lineage worker removes from the provenance graph what has grown old."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from schemas.detector_settings import Settings
from schemas.duration import Duration

Layer = Annotated[int, Field(ge=0, le=99)]

_SPAN: TypeAdapter[float] = TypeAdapter(Duration)


def _age(value: object) -> object:
    """A span of time or "ever": one fault where it is neither, not one a choice."""
    if value == "ever":
        return value
    try:
        return _SPAN.validate_python(value)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        raise ValueError(f"{fault[0].lower()}{fault[1:]}; or 'ever'") from error


Age = Annotated[Duration | Literal["ever"], BeforeValidator(_age)]
"""How old a layer's messages may become."""


class GraphRetention(Settings):
    """How old messages may become in the provenance graph; those that are held stay."""

    every: Duration = Field(3600.0, description="Time between the beginnings of two runs.")
    age: Duration | None = Field(
        None,
        description="Of every layer without an age of its own, and of streams of no layer; none: "
        "any age.",
    )
    layers: dict[Layer, Age] = Field({}, description="Of single layers: `{3: 7d, 9: ever}`.")
    batch: Annotated[int, Field(ge=1, le=100_000)] = Field(
        2000, description="Messages that one step removes, about; a batch that is written is "
        "followed by one step."
    )  # fmt: skip

    @model_validator(mode="after")
    def _has_an_age(self) -> Self:
        if self.age is None and not self.layers:
            raise ValueError("give 'age', or ages of 'layers', or both")
        return self
