"""What only routing needs to be told."""

from pydantic import Field

from shared.kit.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """Settings of routing."""

    sweep_seconds: float = Field(default=5.0, gt=0, description="pause between looks for referrals that nobody answers")
