"""The parts of a platform: which processes there are, and what each is told."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from deploy.local.addresses import Addresses
from deploy.local.keys import Keys
from deploy.local.ports import LOOPBACK
from deploy.local.processes import Program
from deploy.local.settings import PlatformSettings
from deploy.postgres.services import SERVICES, USERS_OF_THE_VAULT

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Part:
    """One process to keep running; one with a URL is ready when it says so there."""

    program: Program
    url: str | None = None

    @property
    def name(self) -> str:
        """What the part is called, on screen and in the state."""
        return self.program.name


@dataclass(frozen=True)
class Plan:
    """Everything that the parts of one platform are made from."""

    settings: PlatformSettings
    keys: Keys
    addresses: Addresses

    def mailbox(self) -> Part:
        """The mailbox, which takes every mail and shows it on a page."""
        return self._python("mailbox", "deploy.local.mailbox", self._http("mailbox"))

    def agencies(self) -> Part:
        """The sample agencies, which answer referrals."""
        accounts = {"HANDOFF_AGENCY_ACCOUNTS": str(self.settings.folder.accounts)} if self.addresses.kafka.user else {}
        accounts["HANDOFF_AGENCY_FILES"] = str(self.settings.folder.accounts)
        program = self._python("agencies", "deploy.local.agencies", accounts).program
        return Part(program)

    def services(self) -> list[Part]:
        """The services, each with its own role and no other's password."""
        return [self._python(name, f"services.{name}", self._service(name)) for name in SERVICES]

    def preparation(self) -> Program:
        """The job that makes topics, accounts, roles and tables, once Kafka and PostgreSQL answer."""
        passwords = {f"HANDOFF_PASSWORD_{name.upper()}": word for name, word in self.keys.passwords.items()}
        accounts = {f"HANDOFF_KAFKA_PASSWORD_{name.upper()}": word for name, word in self.keys.kafka_passwords.items()}
        settings = {
            **self.addresses.kafka.environment(),
            "HANDOFF_AGENCY_ACCOUNTS": str(self.settings.folder.accounts),
            "HANDOFF_PARTNERS_FILE": str(self.settings.folder.partners),
            "HANDOFF_PARTNER_API": self.addresses.url("routing"),
            "HANDOFF_DATABASE_URL": self.addresses.database_url,
            # A database of your own exists already, and we may not be allowed to look for it.
            "HANDOFF_MAKE_DATABASE": "" if self.settings.database_url else "yes",
        }
        return self._python("preparation", "deploy.local.preparation", {**passwords, **accounts, **settings}).program

    def _service(self, name: str) -> dict[str, str]:
        return {
            **self._http(name),
            **self._keys_of(name),
            **self.addresses.kafka_of(name, self.keys).environment(),
            "HANDOFF_DATABASE_URL": self.addresses.database_url_of(name, self.keys),
            "HANDOFF_PUBLIC_URL": self.addresses.url("intake"),
            "HANDOFF_SPANS_URL": self.addresses.url("metrics"),
            "HANDOFF_LOG_FORMAT": "json",
        }

    def _keys_of(self, name: str) -> dict[str, str]:
        """Each service gets the keys that its work needs."""
        keys = {"HANDOFF_STAFF_KEY": self.keys.staff_key}
        if name == "intake":
            keys["HANDOFF_API_KEY"] = self.keys.api_key
        if name in USERS_OF_THE_VAULT:
            keys["HANDOFF_MASTER_KEY_FILE"] = str(self.settings.folder.master_key)
        if name == "routing":
            keys["HANDOFF_LEDGER_KEY_FILE"] = str(self.settings.folder.ledger_key)
            keys["HANDOFF_PARTNERS_FILE"] = str(self.settings.folder.partners)
        return keys

    def _http(self, name: str) -> dict[str, str]:
        return {"HANDOFF_HTTP_HOST": LOOPBACK, "HANDOFF_HTTP_PORT": str(self.addresses.ports[name])}

    def _python(self, name: str, module: str, settings: Mapping[str, str]) -> Part:
        everyone = {
            "HANDOFF_DATA_DIR": str(self.settings.folder.path),
            "HANDOFF_JURISDICTION": str(self.settings.jurisdiction),
            # The administrator's account, if we were given one, is not for everybody.
            **replace(self.addresses.kafka, user="", password="").environment(),
            "HANDOFF_SMTP_HOST": LOOPBACK,
            "HANDOFF_SMTP_PORT": str(self.addresses.ports["smtp"]),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
            "PYTHONUNBUFFERED": "1",
            "HANDOFF_DATABASE_URL": "",
        }
        program = Program(name, (sys.executable, "-m", module), {**everyone, **settings})
        return Part(program, self.addresses.url(name) if name in self.addresses.ports else None)
