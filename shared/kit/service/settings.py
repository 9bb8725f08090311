"""The settings that all services share, read from the environment at the start."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.kit.kafka.access import KafkaAccess

SAMPLE_CITY = Path(__file__).parents[3] / "deploy" / "jurisdictions" / "sample-city"


class ServiceSettings(BaseSettings):
    """Settings of one service; each is the environment variable `HANDOFF_` + its name in capitals."""

    model_config = SettingsConfigDict(
        env_prefix="HANDOFF_", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    database_url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    database_pool: int = Field(default=8, ge=2, description="connections to PostgreSQL, at most")
    kafka_bootstrap: str = Field(description="host:port of a Kafka broker, several with commas")
    kafka_user: str = Field(default="", description="account at Kafka; empty for a broker without accounts")
    kafka_password: SecretStr = Field(default=SecretStr(""), description="password of that account")
    kafka_ca: Path | None = Field(
        default=None, description="certificate of the CA that signs the brokers' certificates; switches TLS on"
    )
    http_host: str = Field(default="127.0.0.1", description="address to listen on")
    http_port: int = Field(default=0, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_url: str = Field(default="http://127.0.0.1:8311", description="public URL of intake, for residents")
    jurisdiction: Path = Field(default=SAMPLE_CITY, description="folder of the city's services, agencies and rules")
    master_key: SecretStr | None = Field(default=None, description="32 bytes in base64 that wrap the persons' keys")
    master_key_file: Path | None = Field(default=None, description="file of the master key; created if it is missing")
    staff_key: SecretStr = Field(description="bearer key of operators")
    batch_size: int = Field(default=500, ge=1, le=5000, description="messages in one batch, at most")
    log_format: Literal["json", "text"] = Field(default="json", description="format of log lines")
    trace_rate: float = Field(default=100.0, ge=0, description="new traces recorded per second, at most")
    spans_url: str | None = Field(default=None, description="base URL of the metrics service, which stores spans")
    otlp_endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="OpenTelemetry collector for spans and metrics, instead of spans_url",
    )

    @property
    def kafka(self) -> KafkaAccess:
        """The service's access to Kafka.

        Raises:
            KafkaAccessError: the password is missing.
        """
        return KafkaAccess(self.kafka_bootstrap, self.kafka_user, self.kafka_password.get_secret_value(), self.kafka_ca)
