"""The settings of intake."""

from pydantic import Field, SecretStr

from shared.kit.service.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """The processes that answer requests, and the first API key."""

    helpers: int = Field(default=1, ge=0, le=32, description="worker processes that answer requests, besides the first")
    api_key: SecretStr | None = Field(
        default=None, description="API key that may file reports, import records and grant consents"
    )
