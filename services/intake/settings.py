"""What only intake needs to be told."""

from pydantic import Field, SecretStr

from shared.kit.service.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """Settings of intake."""

    helpers: int = Field(default=1, ge=0, le=32, description="further processes that answer requests")
    api_key: SecretStr | None = Field(default=None, description="a key that may file reports and import records")
