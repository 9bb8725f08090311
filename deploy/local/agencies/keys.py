"""The agency's own keys: it opens with the private ones, and shows the other at the partner API."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

KINDS: Mapping[str, type[ECKey] | type[OKPKey]] = {"EC": ECKey, "OKP": OKPKey}
ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


@dataclass(frozen=True)
class Keys:
    """What opens sealed blocks, and where to read with which key; an old private key stays while it may be needed."""

    private: tuple[ECKey | OKPKey, ...]
    api: str
    api_key: str

    def open(self, sealed: str) -> dict[str, Any] | None:
        """Open a sealed block; None when it is for none of our keys."""
        for key in self.private:
            try:
                opened: dict[str, Any] = json.loads(jwe.decrypt_compact(sealed, key, ALGORITHMS).plaintext or b"")
            except (JoseError, ValueError, KeyError):  # a key on another curve is a KeyError
                continue
            return opened
        return None


def read_keys(agency: str, environment: Mapping[str, str]) -> Keys | None:
    """Read the agency's file in the folder that HANDOFF_AGENCY_FILES names; None where it has none.

    HANDOFF_PARTNER_API is the address from where we are, if it is another than partners are told.
    """
    folder = environment.get("HANDOFF_AGENCY_FILES")
    path = Path(folder, f"{agency}.json") if folder else None
    if path is None or not path.exists():
        return None
    own = json.loads(path.read_text(encoding="utf-8"))
    private = tuple(KINDS[jwk["kty"]].import_key(jwk) for jwk in own["private_jwks"])
    return Keys(private, environment.get("HANDOFF_PARTNER_API") or own["api"], own["api_key"])
