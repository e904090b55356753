"""Layer 7, chat: what large language models are asked, and what they answer.

Producers publish these on ``L7_IN``; what has been validated flows on ``L7``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.model import Model, Name, Text
from schemas.security import SecurityContext


class ChatTurn(Model):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant", "tool"] = Field(description="Who speaks.")
    content: Text = Field(description="What is said.")


class LlmRequest(Model):
    """A conversation sent to a model, with the bounds on its answer."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["llm_request"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    request_id: Name = Field(description="The id that the response repeats.")
    conversation_id: Name | None = Field(
        default=None, description="The conversation that the request goes on with."
    )
    model: Name = Field(description="The model asked.")
    turns: tuple[ChatTurn, ...] = Field(
        min_length=1, max_length=256, description="The conversation so far, oldest first."
    )
    max_output_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = Field(
        default=None, description="Upper bound on the answer's length, in tokens."
    )
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] | None = Field(
        default=None, description="Sampling temperature, 0 (greedy) to 2."
    )
    timeout_s: Annotated[float, Field(gt=0.0, le=86_400.0)] | None = Field(
        default=None, description="How long the caller waits, in seconds (at most a day)."
    )


class LlmResponse(Model):
    """A model's answer to a request, with what it cost in tokens and time."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["llm_response"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    request_id: Name = Field(description="The id of the request answered.")
    model: Name = Field(description="The model that answered.")
    content: Text = Field(description="The answer.")
    finish_reason: Literal["stop", "length", "tool_call", "content_filter", "error"] = Field(
        description="Why the answer ended."
    )
    input_tokens: int = Field(ge=0, le=10_000_000, description="Tokens read.")
    output_tokens: int = Field(ge=0, le=10_000_000, description="Tokens written.")
    latency_s: float = Field(
        ge=0.0, le=86_400.0, description="Request to last token, in seconds (at most a day)."
    )
    first_token_s: Annotated[float, Field(ge=0.0, le=86_400.0)] | None = Field(
        default=None, description="Request to first token, in seconds (at most a day)."
    )


L7ChatSchema = Annotated[LlmRequest | LlmResponse, Field(discriminator="kind")]
"""What flows on ``L7``: a request to a large language model, or its response."""
