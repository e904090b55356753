"""Layer 3, events: what the sensors and the SOC (security operations centre) report.

Producers publish these on ``L3_IN``; what has been validated flows on ``L3``.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.findings import Severity
from schemas.model import Line, Model, Name, Text
from schemas.security import SecurityContext


class SocEvent(Model):
    """Something that happened on a host, as the SOC's collectors report it."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["soc_event"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    host: Name = Field(description="The host on which it happened.")
    action: Name = Field(description="What was done, such as `login` or `process_start`.")
    outcome: Literal["success", "failure", "unknown"] = Field(
        default="unknown", description="Whether the action succeeded."
    )
    user: Name | None = Field(default=None, description="The account that acted.")
    process: Name | None = Field(default=None, description="The program that acted.")
    source_address: Annotated[str, Field(max_length=45)] | None = Field(
        default=None, description="IPv4 or IPv6 address the action came from."
    )
    destination_port: Annotated[int, Field(ge=0, le=65_535)] | None = Field(
        default=None, description="TCP or UDP port that was addressed."
    )
    observed_at_ms: Annotated[int, Field(ge=0, le=253_402_300_799_999)] | None = Field(
        default=None, description="When it was seen, in milliseconds since the epoch."
    )
    attributes: dict[Name, Line | float | bool] = Field(
        default_factory=dict,
        max_length=128,
        description="Whatever else the collector knows, such as `bytes_out` or `command_line`.",
    )


class SensorReading(Model):
    """The measurements of one sensor at one instant."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["sensor_reading"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    sensor_id: Name = Field(description="The sensor that measured.")
    measurements: dict[Name, float] = Field(
        min_length=1,
        max_length=256,
        description="Measured quantity to value, each in the unit given by `units`.",
    )
    units: dict[Name, Annotated[str, Field(min_length=1, max_length=32)]] = Field(
        default_factory=dict,
        max_length=256,
        description="Measured quantity to its UCUM unit, such as `Cel` or `kPa`.",
    )
    site: Name | None = Field(default=None, description="The place or machine it is mounted on.")
    observed_at_ms: Annotated[int, Field(ge=0, le=253_402_300_799_999)] | None = Field(
        default=None, description="When it was measured, in milliseconds since the epoch."
    )


class EmergencyAlert(Model):
    """A warning to people: what happens where, how grave it is, and what to do."""

    schema_version: Literal["1.0"] = Field(description="Version of this schema, major.minor.")
    kind: Literal["emergency_alert"] = Field(description="Tells the union's members apart.")
    security: SecurityContext = Field(description="Who may see the message.")
    alert_id: Name = Field(description="The issuer's own id of the alert.")
    issuer: Name = Field(description="The authority or system that issued it.")
    category: Name = Field(description="What kind of emergency, such as `fire` or `flood`.")
    severity: Severity = Field(description="How grave it is.")
    headline: Line = Field(description="The warning in a sentence.")
    instruction: Text | None = Field(default=None, description="What those concerned should do.")
    area: Line | None = Field(default=None, description="The area concerned, in words.")
    latitude_deg: Annotated[float, Field(ge=-90.0, le=90.0)] | None = Field(
        default=None, description="WGS 84 latitude of the area's centre, in degrees north."
    )
    longitude_deg: Annotated[float, Field(ge=-180.0, le=180.0)] | None = Field(
        default=None, description="WGS 84 longitude of the area's centre, in degrees east."
    )
    radius_m: Annotated[float, Field(ge=0.0, le=20_038_000.0)] | None = Field(
        default=None, description="The area's radius in metres."
    )
    valid_for_s: Annotated[float, Field(gt=0.0, le=31_557_600.0)] | None = Field(
        default=None, description="How long the alert stands, in seconds (at most a year)."
    )
    observed_at_ms: Annotated[int, Field(ge=0, le=253_402_300_799_999)] | None = Field(
        default=None, description="When it was issued, in milliseconds since the epoch."
    )


L3EventSchema = Annotated[
    SocEvent | SensorReading | EmergencyAlert,
    Field(discriminator="kind"),
]
"""What flows on ``L3``: a SOC event, a sensor reading or an emergency alert."""
