"""The plan of a platform: where its components listen, which processes there are, and the environment of each."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.kafka.acls import ADMIN
from deploy.local.keys import PlatformKeys
from deploy.local.ports import LOOPBACK, any_free, choose_ports
from deploy.local.processes.child_process import ProcessSpec
from deploy.local.processes.process_group import Component
from deploy.local.servers.postgres import PostgresNode
from deploy.local.settings import PlatformSettings
from deploy.postgres.services import SERVICES, USERS_OF_THE_VAULT, role_of
from deploy.secret_files import write_secret
from shared.kit.kafka.access import KafkaAccess

DATABASE = "handoff"
_ROOT = Path(__file__).parents[2]
_USUAL_PORTS = {
    "intake": 8311,
    "routing": 8312,
    "notifications": 8313,
    "metrics": 8314,
    "mailbox": 8315,
    "smtp": 8325,
    "kafka": 19092,
    "kafka-controller": 19093,
    "postgres": 15432,
}


@dataclass(frozen=True)
class Addresses:
    """Ports of the platform's own processes, and the addresses of Kafka and PostgreSQL, which may be external."""

    ports: dict[str, int]
    kafka: KafkaAccess
    database_url: str

    def url(self, name: str) -> str:
        """Return the base URL of a component that serves HTTP."""
        return f"http://{LOOPBACK}:{self.ports[name]}"

    def unusual_ports(self) -> list[str]:
        """Return a sentence for each port that differs from the usual one."""
        return [
            f"{name} listens on {self.ports[name]}, not on its usual port {usual}."
            for name, usual in _USUAL_PORTS.items()
            if self.ports[name] != usual
        ]

    def database_url_of(self, service: str, keys: PlatformKeys) -> str:
        """Return the database's address with the service's own role in place of the administrator's."""
        parts = urlsplit(self.database_url)
        server = parts.netloc.rpartition("@")[2]
        role = f"{role_of(service)}:{quote(keys.passwords[service], safe='')}"
        return urlunsplit(parts._replace(netloc=f"{role}@{server}"))

    def kafka_of(self, service: str, keys: PlatformKeys) -> KafkaAccess:
        """Return Kafka with the service's own account; an external Kafka without accounts has none."""
        if not self.kafka.user:
            return self.kafka
        return replace(self.kafka, user=service, password=keys.kafka_passwords[service])


def choose_addresses(settings: PlatformSettings, keys: PlatformKeys) -> Addresses:
    """Choose free ports, those of the last start if they are still free, and remember them."""
    ports = _choose_ports(settings)
    server = PostgresNode(settings.folder.postgres, ports["postgres"], keys.admin_password)
    return Addresses(
        ports=ports,
        kafka=settings.kafka or KafkaAccess(f"{LOOPBACK}:{ports['kafka']}", ADMIN, keys.kafka_admin_password),
        database_url=settings.database_url or server.url(DATABASE),
    )


def _choose_ports(settings: PlatformSettings) -> dict[str, int]:
    if settings.any_ports:
        return dict(zip(_USUAL_PORTS, any_free(len(_USUAL_PORTS)), strict=True))
    remembered = settings.folder.run / "ports.json"
    last_time = json.loads(remembered.read_text(encoding="utf-8")) if remembered.exists() else {}
    ports = choose_ports({**_USUAL_PORTS, **last_time})
    write_secret(remembered, json.dumps(ports) + "\n")
    return ports


@dataclass(frozen=True)
class StackPlan:
    """The components of one platform, made from its settings, keys and addresses."""

    settings: PlatformSettings
    keys: PlatformKeys
    addresses: Addresses

    def mailbox(self) -> Component:
        """Return the mailbox, which receives every mail and shows it on a page."""
        return self._python("mailbox", "deploy.local.mailbox", self._http("mailbox"))

    def agencies(self) -> Component:
        """Return the sample agencies, which answer referrals."""
        accounts = {"HANDOFF_AGENCY_ACCOUNTS": str(self.settings.folder.accounts)} if self.addresses.kafka.user else {}
        accounts["HANDOFF_AGENCY_FILES"] = str(self.settings.folder.accounts)
        return Component(self._python("agencies", "deploy.local.agencies", accounts).process)

    def services(self) -> list[Component]:
        """Return the services, each with its own role and without the passwords of the others."""
        return [self._python(name, f"services.{name}", self._service(name)) for name in SERVICES]

    def preparation(self) -> ProcessSpec:
        """Return the job that creates topics, accounts, roles and tables once Kafka and PostgreSQL answer."""
        passwords = {f"HANDOFF_PASSWORD_{name.upper()}": word for name, word in self.keys.passwords.items()}
        accounts = {f"HANDOFF_KAFKA_PASSWORD_{name.upper()}": word for name, word in self.keys.kafka_passwords.items()}
        settings = {
            **self.addresses.kafka.environment(),
            "HANDOFF_AGENCY_ACCOUNTS": str(self.settings.folder.accounts),
            "HANDOFF_PARTNERS_FILE": str(self.settings.folder.partners),
            "HANDOFF_PARTNER_API": self.addresses.url("routing"),
            "HANDOFF_DATABASE_URL": self.addresses.database_url,
            # An external database exists already, and its administrator may not be allowed to list databases.
            "HANDOFF_MAKE_DATABASE": "" if self.settings.database_url else "yes",
        }
        return self._python("preparation", "deploy.local.preparation", {**passwords, **accounts, **settings}).process

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
        """Return the keys that the service needs, and no other."""
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

    def _python(self, name: str, module: str, settings: Mapping[str, str]) -> Component:
        for_every_process = {
            "HANDOFF_DATA_DIR": str(self.settings.folder.path),
            "HANDOFF_JURISDICTION": str(self.settings.jurisdiction),
            # These two override what this process inherited: no child may see the administrator's password.
            **replace(self.addresses.kafka, user="", password="").environment(),
            "HANDOFF_DATABASE_URL": "",
            "HANDOFF_SMTP_HOST": LOOPBACK,
            "HANDOFF_SMTP_PORT": str(self.addresses.ports["smtp"]),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))),
            "PYTHONUNBUFFERED": "1",
        }
        process = ProcessSpec(name, (sys.executable, "-m", module), {**for_every_process, **settings})
        return Component(process, self.addresses.url(name) if name in self.addresses.ports else None)
