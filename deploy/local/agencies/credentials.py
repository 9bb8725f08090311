"""The agency's own keys: it opens with the private ones, and shows the other at the partner API."""

import json
import ssl
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
class PartnerCredentials:
    """Private keys, which open sealed blocks, and base URL and key of the partner API.

    After a change of keys the old private key stays in the list as long as blocks for it may arrive.
    """

    private: tuple[ECKey | OKPKey, ...]
    api: str
    api_key: str

    def open(self, sealed: str) -> dict[str, Any] | None:
        """Open a sealed block; None if it is sealed to none of the keys."""
        for key in self.private:
            try:
                opened: dict[str, Any] = json.loads(jwe.decrypt_compact(sealed, key, ALGORITHMS).plaintext or b"")
            except (JoseError, ValueError, KeyError):  # a key on another curve is a KeyError
                continue
            return opened
        return None


def read_keys(agency: str, environment: Mapping[str, str]) -> PartnerCredentials | None:
    """Read the agency's keys from the folder that HANDOFF_AGENCY_FILES names; None if there are none.

    HANDOFF_PARTNER_API replaces the base URL in the file, for agencies in the same network as routing.
    """
    folder = environment.get("HANDOFF_AGENCY_FILES")
    path = Path(folder, f"{agency}.json") if folder else None
    if path is None or not path.exists():
        return None
    own = json.loads(path.read_text(encoding="utf-8"))
    private = tuple(KINDS[jwk["kty"]].import_key(jwk) for jwk in own["private_jwks"])
    return PartnerCredentials(private, environment.get("HANDOFF_PARTNER_API") or own["api"], own["api_key"])


_ARGUMENTS = {
    "bootstrap.servers": "bootstrap_servers",
    "security.protocol": "security_protocol",
    "sasl.mechanism": "sasl_mechanism",
    "sasl.username": "sasl_plain_username",
    "sasl.password": "sasl_plain_password",
}


def read_account(file: Path) -> dict[str, Any]:
    """Read an agency's account file, and return the options for aiokafka's clients."""
    lines = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    settings = {name: value for name, _, value in lines}
    options: dict[str, Any] = {argument: settings[name] for name, argument in _ARGUMENTS.items() if name in settings}
    authority = settings.get("ssl.ca.location")
    return options | ({"ssl_context": ssl.create_default_context(cafile=file.parent / authority)} if authority else {})


def connection_of(agency: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the options with which an agency's clients connect to Kafka.

    HANDOFF_AGENCY_ACCOUNTS names the folder of the account files; without it the broker has no accounts.
    HANDOFF_KAFKA_BOOTSTRAP replaces the address in the file, for agencies in the same network as the broker.
    """
    folder, address = environment.get("HANDOFF_AGENCY_ACCOUNTS"), environment.get("HANDOFF_KAFKA_BOOTSTRAP")
    account = read_account(Path(folder, f"{agency}.properties")) if folder else {}
    return account | ({"bootstrap_servers": address} if address else {})
