"""Accounts and rules at a real broker, through Kafka's administration protocol."""

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
"""Rounds of SCRAM: Kafka's default, and enough for passwords that were made by a machine."""

_SECONDS = 30.0
_WHATEVER: Any = None
_ANY = AclBindingFilter(
    ResourceType.ANY,
    name=_WHATEVER,
    resource_pattern_type=ResourcePatternType.ANY,
    principal=_WHATEVER,
    host=_WHATEVER,
    operation=AclOperation.ANY,
    permission_type=AclPermissionType.ANY,
)


class AdministrationError(Exception):
    """A broker did not do what its administrator asked for; the text names the kind of Kafka's error alone."""


class Administration:
    """One broker with accounts, as its administrator. Wait until it answers before you make this."""

    def __init__(self, kafka: KafkaAccess) -> None:
        self._user = kafka.user
        # The library speaks to standard error of each attempt to connect; what counts is in the answers.
        quiet: dict[str, Any] = {"log_level": 0, "logger": getLogger("confluent_kafka")}
        self._client = AdminClient({**kafka.properties(), **quiet})

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Make accounts, or give those that exist another password; connections that there are stay."""
        how = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, ITERATIONS)
        wanted: list[Any] = [UserScramCredentialUpsertion(name, how, word.encode()) for name, word in passwords.items()]
        _wait_for(self._client.alter_user_scram_credentials(wanted).values() if wanted else ())

    def list_acls(self) -> list[Acl]:
        """Every rule of the broker.

        Raises:
            AdministrationError: the broker does not tell.
        """
        try:
            asked = self._client.describe_cluster(include_authorized_operations=True).result(_SECONDS)
            found = self._client.describe_acls(_ANY).result(_SECONDS)
        except KafkaException as error:
            raise AdministrationError(_say(error)) from None
        # To whoever may not ask, the library gives an empty list instead of Kafka's refusal.
        if AclOperation.DESCRIBE not in (asked.authorized_operations or ()):
            raise AdministrationError(f"{self._user} is no administrator there.")
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
            problems.append(_say(error))
    if problems:
        raise AdministrationError(" ".join(sorted(set(problems))))


def _say(error: KafkaException) -> str:
    """Name an error; Kafka's own words may quote the request."""
    return f"Kafka says {error.args[0].name()}."


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
