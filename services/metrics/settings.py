"""The settings of metrics."""

from datetime import timedelta

from pydantic import Field

from shared.kit.service.settings import ServiceSettings


class MetricsSettings(ServiceSettings):
    """How often figures are computed, and how many spans are stored for how long."""

    figures_pause: float = Field(default=0.5, gt=0, description="seconds from one computation of figures to the next")
    spans_age: timedelta = Field(default=timedelta(days=14), description="spans older than this are deleted")
    spans_most: int = Field(
        default=2_000_000, ge=1, description="about how many spans are stored; the oldest are deleted"
    )
