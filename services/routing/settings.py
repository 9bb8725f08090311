"""What only routing needs to be told."""

from pathlib import Path

from pydantic import Field, SecretStr

from shared.kit.service.settings import ServiceSettings


class RoutingSettings(ServiceSettings):
    """Settings of routing."""

    sweep_seconds: float = Field(default=5.0, gt=0, description="pause between looks for referrals that nobody answers")
    ledger_key: SecretStr | None = Field(default=None, description="32 bytes in base64 that sign the ledger (Ed25519)")
    ledger_key_file: Path | None = Field(default=None, description="file of the ledger's key; made if it is missing")
    ledger_name: str | None = Field(
        default=None,
        pattern=r"^[^\s+]+$",
        description="the ledger's name on its checkpoints, which should not change; default: <city's folder>/ledger",
    )
    partners_file: Path | None = Field(
        default=None, description="file with the agencies' public keys and the hashes of their keys to the partner API"
    )
