"""What flows: the payloads of each layer, the events about them, and the map of the streams.

A schema is named by package and attribute, such as ``schemas:L3EventSchema``; ``resolve`` finds
it. The package knows only Pydantic and reads nothing at import.
"""

from schemas.findings import (
    AnomalyEvent,
    DriftEvent,
    DriftKind,
    FieldValue,
    GuiltyField,
    Sample,
    Severity,
    Status,
)
from schemas.l3_event import EmergencyAlert, L3EventSchema, SensorReading, SocEvent
from schemas.l4_intel import AdversaryModel, L4IntelSchema, MissionPlan, PlanStep, RiskAssessment
from schemas.l5_prediction import Forecast, ForecastPoint, L5PredictionSchema, RecognisedPattern
from schemas.l7_chat import ChatTurn, L7ChatSchema, LlmRequest, LlmResponse
from schemas.l8_security import L8SecuritySchema, ThreatAlert, Vulnerability, VulnerabilityScan
from schemas.l9_strategic import Command, Decision, L9StrategicSchema
from schemas.label import Label
from schemas.lineage_record import LineageFinding, LineageOutput, LineageRecord
from schemas.message import Derived, Message
from schemas.model import Line, Model, Name, Share, Text, Uid, Version
from schemas.registry import (
    NotASchemaError,
    Schema,
    SchemaError,
    SchemaImportError,
    SchemaNameError,
    SchemaNotFoundError,
    known_schemas,
    resolve,
)
from schemas.security import Classification, SecurityContext
from schemas.settlements import DeadLetter, Rejection, Violation
from schemas.supervisor_event import Action, SupervisorEvent

__all__ = [
    "Action",
    "AdversaryModel",
    "AnomalyEvent",
    "ChatTurn",
    "Classification",
    "Command",
    "DeadLetter",
    "Decision",
    "Derived",
    "DriftEvent",
    "DriftKind",
    "EmergencyAlert",
    "FieldValue",
    "Forecast",
    "ForecastPoint",
    "GuiltyField",
    "L3EventSchema",
    "L4IntelSchema",
    "L5PredictionSchema",
    "L7ChatSchema",
    "L8SecuritySchema",
    "L9StrategicSchema",
    "Label",
    "Line",
    "LineageFinding",
    "LineageOutput",
    "LineageRecord",
    "LlmRequest",
    "LlmResponse",
    "Message",
    "MissionPlan",
    "Model",
    "Name",
    "NotASchemaError",
    "PlanStep",
    "RecognisedPattern",
    "Rejection",
    "RiskAssessment",
    "Sample",
    "Schema",
    "SchemaError",
    "SchemaImportError",
    "SchemaNameError",
    "SchemaNotFoundError",
    "SecurityContext",
    "SensorReading",
    "Severity",
    "Share",
    "SocEvent",
    "Status",
    "SupervisorEvent",
    "Text",
    "ThreatAlert",
    "Uid",
    "Version",
    "Violation",
    "Vulnerability",
    "VulnerabilityScan",
    "known_schemas",
    "resolve",
]
