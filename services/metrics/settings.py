"""What only this service needs to be told."""

from datetime import timedelta

from pydantic import Field

from shared.kit.service.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of metrics."""

    figures_pause: float = Field(default=0.5, gt=0, description="seconds between two looks for cases to count anew")
    spans_age: timedelta = Field(default=timedelta(days=14), description="how long spans are kept")
    spans_most: int = Field(default=2_000_000, ge=1, description="how many spans are kept, about")
