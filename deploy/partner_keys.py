"""Creates the keys of the sample agencies: an API key for the partner API, and a key pair for sealed blocks.

A real agency creates its keys itself, and submits the public key and the hash of the API key: docs/partners/keys.md.

    HANDOFF_AGENCY_ACCOUNTS   folder for a file with the keys of each agency, <agency>.json
    HANDOFF_PARTNERS_FILE     the file that routing reads: public keys, and hashes of API keys
    HANDOFF_PARTNER_API       base URL of the partner API, for the agencies' files
    HANDOFF_JURISDICTION      the city's folder
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from joserfc.jwk import OKPKey

from deploy.kafka.topic_declarations import agencies_of
from deploy.secret_files import write_secret
from shared.kit.service.settings import SAMPLE_CITY

Document = dict[str, Any]


def prepare_partners(environment: Mapping[str, str]) -> None:
    """Write the agencies' files and routing's with the settings in `environment`, if it names both."""
    folder, registry = environment.get("HANDOFF_AGENCY_ACCOUNTS"), environment.get("HANDOFF_PARTNERS_FILE")
    if folder and registry:
        agencies = agencies_of(Path(environment.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
        write_partner_files(Path(folder), Path(registry), agencies, environment.get("HANDOFF_PARTNER_API", ""))


def write_partner_files(folder: Path, registry: Path, agencies: Iterable[str], api: str) -> None:
    """Create the missing keys of each agency, and update the base URL `api`; existing keys stay.

    In routing's file, `registry`, the keys that an agency has submitted stay.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    known = _read(registry)
    for agency in agencies:
        path = folder / f"{agency}.json"
        own = {**_new_keys(), **_read(path), "agency": agency, "api": api}
        write_secret(path, _write(own))
        known[agency] = _entry_of(known.get(agency, {}), own)
    registry.parent.mkdir(parents=True, exist_ok=True)
    write_secret(registry, _write(known))


def _entry_of(entry: Document, own: Document) -> Document:
    """Return routing's entry of an agency: its submitted keys, else the created ones."""
    public = [OKPKey.import_key(jwk).as_dict(private=False) for jwk in own["private_jwks"]]
    hashed = [sha256(own["api_key"].encode()).hexdigest()]
    return {"public_jwks": entry.get("public_jwks") or public, "key_hashes": entry.get("key_hashes") or hashed}


def _new_keys() -> Document:
    key = OKPKey.generate_key("X25519")
    jwk = {**key.as_dict(private=True), "kid": key.thumbprint(), "use": "enc"}
    return {"agency": "", "api": "", "api_key": f"hp_{token_urlsafe(32)}", "private_jwks": [jwk]}


def _read(path: Path) -> Document:
    found: Document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _write(document: Document) -> str:
    return json.dumps(document, indent=2) + "\n"
