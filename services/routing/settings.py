"""The settings of routing."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.kit.service.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """Settings of routing."""

    sweep_seconds: float = Field(
        default=5.0, gt=0, description="pause between polls for deadlines: overdue referrals, expired consents"
    )
    ledger_key: SecretStr | None = Field(
        default=None, description="the ledger's signing key (Ed25519): 32 bytes in base64"
    )
    ledger_key_file: Path | None = Field(
        default=None, description="file of the ledger's signing key; created if it is missing"
    )
    ledger_name: str | None = Field(
        default=None,
        pattern=r"^[^\s+]+$",
        description="the ledger's name on its checkpoints, which must not change; default: <jurisdiction>/ledger",
    )
    partners_file: Path | None = Field(
        default=None,
        description="file with the agencies' public keys and the hashes of their API keys for the partner API",
    )
