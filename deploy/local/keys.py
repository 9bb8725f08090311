"""Keys and passwords of one platform: made at the first start, kept from then on."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass

from deploy.local.folders import DataFolder
from deploy.local.secret_files import write_secret
from deploy.postgres.services import SERVICES

_MASTER_KEY_BYTES = 32


@dataclass(frozen=True)
class Keys:
    """What opens the database's roles, Kafka's accounts, intake for writing, and the operators' pages."""

    admin_password: str
    passwords: dict[str, str]
    kafka_admin_password: str
    kafka_passwords: dict[str, str]
    api_key: str
    staff_key: str


def load_keys(folder: DataFolder) -> Keys:
    """The keys of this platform; makes those that are missing, the master key too."""
    if not folder.master_key.exists():
        write_secret(folder.master_key, base64.b64encode(os.urandom(_MASTER_KEY_BYTES)).decode() + "\n")
    path = folder.run / "keys.json"
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    fresh = _make_keys()
    by_service = {name: {**asdict(fresh)[name], **kept.get(name, {})} for name in ("passwords", "kafka_passwords")}
    keys = Keys(**{**asdict(fresh), **kept, **by_service})
    write_secret(path, json.dumps(asdict(keys), indent=2) + "\n")
    return keys


def _make_keys() -> Keys:
    return Keys(
        admin_password=secrets.token_urlsafe(24),
        passwords={service: secrets.token_urlsafe(24) for service in SERVICES},
        kafka_admin_password=secrets.token_urlsafe(24),
        kafka_passwords={service: secrets.token_urlsafe(24) for service in SERVICES},
        api_key=f"hk_{secrets.token_urlsafe(24)}",
        staff_key=f"hs_{secrets.token_urlsafe(24)}",
    )
