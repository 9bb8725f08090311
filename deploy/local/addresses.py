"""Where the parts of a platform listen: the usual ports, or the next free ones."""

import json
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit, urlunsplit

from deploy.kafka.acls import ADMIN
from deploy.local.keys import Keys
from deploy.local.ports import LOOPBACK, any_free, choose_ports
from deploy.local.postgres import PostgresNode
from deploy.local.secret_files import write_secret
from deploy.local.settings import PlatformSettings
from deploy.postgres.services import role_of
from shared.kit.kafka.access import KafkaAccess

DATABASE = "handoff"
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
    """Where everything is: ports of our own processes, and the two servers, which may be somebody else's."""

    ports: dict[str, int]
    kafka: KafkaAccess
    database_url: str

    def url(self, name: str) -> str:
        """Base URL of a part that serves HTTP."""
        return f"http://{LOOPBACK}:{self.ports[name]}"

    def moves(self) -> list[str]:
        """What is elsewhere than usual, in a sentence each."""
        return [
            f"{name} listens on {self.ports[name]}, not on its usual port {usual}."
            for name, usual in _USUAL_PORTS.items()
            if self.ports[name] != usual
        ]

    def database_url_of(self, service: str, keys: Keys) -> str:
        """The database as one service reaches it: the same server, with the service's own role."""
        parts = urlsplit(self.database_url)
        where = parts.netloc.rpartition("@")[2]
        role = f"{role_of(service)}:{quote(keys.passwords[service], safe='')}"
        return urlunsplit(parts._replace(netloc=f"{role}@{where}"))

    def kafka_of(self, service: str, keys: Keys) -> KafkaAccess:
        """Kafka as one service reaches it: with its own account, where there are accounts."""
        if not self.kafka.user:
            return self.kafka
        return replace(self.kafka, user=service, password=keys.kafka_passwords[service])


def choose_addresses(settings: PlatformSettings, keys: Keys) -> Addresses:
    """Choose free ports, the ones of last time if they still are, and remember them."""
    ports = _choose(settings)
    server = PostgresNode(settings.folder.postgres, ports["postgres"], keys.admin_password)
    return Addresses(
        ports=ports,
        kafka=settings.kafka or KafkaAccess(f"{LOOPBACK}:{ports['kafka']}", ADMIN, keys.kafka_admin_password),
        database_url=settings.database_url or server.url(DATABASE),
    )


def _choose(settings: PlatformSettings) -> dict[str, int]:
    if settings.any_ports:
        return dict(zip(_USUAL_PORTS, any_free(len(_USUAL_PORTS)), strict=True))
    remembered = settings.folder.run / "ports.json"
    last_time = json.loads(remembered.read_text(encoding="utf-8")) if remembered.exists() else {}
    ports = choose_ports({**_USUAL_PORTS, **last_time})
    write_secret(remembered, json.dumps(ports) + "\n")
    return ports
