"""The settings of the classic detectors of more errors."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.detector_settings import Settings
from schemas.drift_sizes import Confidence, NBaseline, NWindow, Warmth


class ErrorSettings(Settings):
    """What the classic detectors of more errors share: the samples they report."""

    n_ref: NBaseline = 1000
    n_cur: NWindow = 500


class DdmSettings(ErrorSettings):
    """DDM (Gama, Medas, Castillo and Rodrigues, SBIA 2004)."""

    n_start: Warmth = 30
    deviations: Annotated[float, Field(gt=0.0, description="standard deviations to an alarm")] = 3.0


class EddmSettings(ErrorSettings):
    """EDDM (Baena-García et al., 2006)."""

    n_start: Warmth = 30
    beta: Annotated[float, Field(gt=0.0, lt=1.0, description="share of the greatest distance")] = (
        0.9
    )


class HddmASettings(ErrorSettings):
    """HDDM_A (Frías-Blanco et al., IEEE TKDE 2015)."""

    alpha: Confidence = 0.001
    direction: Annotated[
        Literal["up", "both"], Field(description="report more errors only, or fewer too")
    ] = "up"


class HddmWSettings(HddmASettings):
    """HDDM_W (Frías-Blanco et al., IEEE TKDE 2015)."""

    decay: Annotated[float, Field(gt=0.0, lt=1.0, description="weight of a new value")] = 0.05


class FhddmSettings(ErrorSettings):
    """FHDDM (Pesaranghader and Viktor, ECML PKDD 2016)."""

    alpha: Confidence = 1e-6
    window: Annotated[int, Field(ge=10, le=10_000, description="values of the window")] = 100
