"""Makes the keys of the sample agencies, for the partner API and for sealed blocks.

A real agency makes its keys itself, and hands in the public one and the hash of the other: docs/partners/keys.md.

    HANDOFF_AGENCY_ACCOUNTS   folder where each agency has a file, <agency>.json, with its own keys
    HANDOFF_PARTNERS_FILE     what routing reads: the public keys, and the hashes of the others
    HANDOFF_PARTNER_API       the address of the partner API that the agencies' files name
    HANDOFF_JURISDICTION      the city's folder
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from joserfc.jwk import OKPKey

from deploy.kafka.declared import agencies_of
from deploy.local.secret_files import write_secret
from shared.kit.service.settings import SAMPLE_CITY

Document = dict[str, Any]


def prepare_partners(environment: Mapping[str, str]) -> None:
    """Make the agencies' files and routing's, as the environment says; nothing without a place for both."""
    folder, registry = environment.get("HANDOFF_AGENCY_ACCOUNTS"), environment.get("HANDOFF_PARTNERS_FILE")
    if folder and registry:
        agencies = agencies_of(Path(environment.get("HANDOFF_JURISDICTION") or SAMPLE_CITY))
        keep_partner_files(Path(folder), Path(registry), agencies, environment.get("HANDOFF_PARTNER_API", ""))


def keep_partner_files(folder: Path, registry: Path, agencies: Iterable[str], api: str) -> None:
    """Make the keys of each agency where they are missing; they stay, the address follows.

    What routing's file holds of the agency besides stays as well: keys that it has handed in.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    known = _read(registry)
    for agency in agencies:
        path = folder / f"{agency}.json"
        own = {**_new_keys(), **_read(path), "agency": agency, "api": api}
        write_secret(path, _write(own))
        known[agency] = _add(known.get(agency, {}), own)
    registry.parent.mkdir(parents=True, exist_ok=True)
    write_secret(registry, _write(known))


def _add(entry: Document, own: Document) -> Document:
    """Return what routing is to know of an agency: what it knew, or else what we have made."""
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
