"""Accounts and access rules of a broker, through Kafka's administration protocol."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from logging import getLogger
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from deploy.kafka.acls import Acl
from shared.kit.kafka.access import KafkaAccess

ITERATIONS = 4096
"""Iterations of SCRAM: Kafka's default, which is enough for random passwords."""

_SECONDS = 30.0
_UNSET: Any = None
_ALL_RULES = AclBindingFilter(
    ResourceType.ANY,
    name=_UNSET,
    resource_pattern_type=ResourcePatternType.ANY,
    principal=_UNSET,
    host=_UNSET,
    operation=AclOperation.ANY,
    permission_type=AclPermissionType.ANY,
)


class BrokerAdminError(Exception):
    """A broker rejected a request of its administrator; the text has the name of Kafka's error and nothing else."""


class BrokerAdmin:
    """A broker with accounts, as its administrator. Wait until the broker answers before creating this."""

    def __init__(self, kafka: KafkaAccess) -> None:
        self._user = kafka.user
        # The library logs every connection attempt to standard error; the errors that matter are in the answers.
        silent: dict[str, Any] = {"log_level": 0, "logger": getLogger("confluent_kafka")}
        self._client = AdminClient({**kafka.properties(), **silent})

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Create accounts, or change the passwords of existing ones; open connections stay."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        wanted: list[Any] = [
            UserScramCredentialUpsertion(name, info, password.encode()) for name, password in passwords.items()
        ]
        _wait_for(self._client.alter_user_scram_credentials(wanted).values() if wanted else ())

    def list_acls(self) -> list[Acl]:
        """Return every rule of the broker.

        Raises:
            BrokerAdminError: the broker does not answer, or the account is not an administrator.
        """
        try:
            cluster = self._client.describe_cluster(include_authorized_operations=True).result(_SECONDS)
            found = self._client.describe_acls(_ALL_RULES).result(_SECONDS)
        except KafkaException as error:
            raise BrokerAdminError(_describe(error)) from None
        # Without the permission the library returns an empty list instead of Kafka's error.
        if AclOperation.DESCRIBE not in (cluster.authorized_operations or ()):
            raise BrokerAdminError(f"The account {self._user} is not an administrator of this broker.")
        return [_read(binding) for binding in found]

    def add(self, acls: Iterable[Acl]) -> None:
        """Add rules."""
        wanted = [_write(acl, AclBinding) for acl in acls]
        _wait_for(self._client.create_acls(wanted).values() if wanted else ())

    def remove(self, acls: Iterable[Acl]) -> None:
        """Remove exactly these rules."""
        unwanted = [_write(acl, AclBindingFilter) for acl in acls]
        _wait_for(self._client.delete_acls(unwanted).values() if unwanted else ())


def _wait_for(answers: Iterable["Future[Any]"]) -> None:
    problems = []
    for answer in answers:
        try:
            answer.result(_SECONDS)
        except KafkaException as error:
            problems.append(_describe(error))
    if problems:
        raise BrokerAdminError(" ".join(sorted(set(problems))))


def _describe(error: KafkaException) -> str:
    """Return the name of an error, without Kafka's message, which may quote the request."""
    return f"Kafka answered {error.args[0].name()}."


def _read(binding: Any) -> Acl:
    return Acl(
        user=binding.principal.removeprefix("User:"),
        permission=binding.permission_type.name.lower(),
        operation=binding.operation.name.lower(),
        resource=binding.restype.name.lower(),
        name=binding.name,
        pattern=binding.resource_pattern_type.name.lower(),
        host=binding.host,
    )


def _write(acl: Acl, kind: type[AclBinding]) -> Any:
    return kind(
        ResourceType[acl.resource.upper()],
        acl.name,
        ResourcePatternType[acl.pattern.upper()],
        f"User:{acl.user}",
        acl.host,
        AclOperation[acl.operation.upper()],
        AclPermissionType[acl.permission.upper()],
    )
