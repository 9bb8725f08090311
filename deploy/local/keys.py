"""The keys and passwords of one platform: generated at the first start, and kept from then on."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass

from deploy.local.settings import DataFolder
from deploy.postgres.services import SERVICES
from deploy.secret_files import write_secret

_MASTER_KEY_BYTES = 32


@dataclass(frozen=True)
class PlatformKeys:
    """Passwords of the database's roles and of Kafka's accounts, intake's API key, and the key of staff.

    `passwords` and `kafka_passwords` are by name of the service.
    """

    admin_password: str
    passwords: dict[str, str]
    kafka_admin_password: str
    kafka_passwords: dict[str, str]
    api_key: str
    staff_key: str


def load_keys(folder: DataFolder) -> PlatformKeys:
    """Read the keys of a platform, and generate those that are missing, the master key included."""
    if not folder.master_key.exists():
        write_secret(folder.master_key, base64.b64encode(os.urandom(_MASTER_KEY_BYTES)).decode() + "\n")
    path = folder.run / "keys.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    generated = asdict(_generate_keys())
    # A service that a later version adds gets its password; the other services keep theirs.
    by_service = {name: {**generated[name], **stored.get(name, {})} for name in ("passwords", "kafka_passwords")}
    keys = PlatformKeys(**{**generated, **stored, **by_service})
    write_secret(path, json.dumps(asdict(keys), indent=2) + "\n")
    return keys


def _generate_keys() -> PlatformKeys:
    return PlatformKeys(
        admin_password=secrets.token_urlsafe(24),
        passwords={service: secrets.token_urlsafe(24) for service in SERVICES},
        kafka_admin_password=secrets.token_urlsafe(24),
        kafka_passwords={service: secrets.token_urlsafe(24) for service in SERVICES},
        api_key=f"hk_{secrets.token_urlsafe(24)}",
        staff_key=f"hs_{secrets.token_urlsafe(24)}",
    )
