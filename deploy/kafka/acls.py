"""Kafka's access rules (ACLs): those that the declared topics need, and how a broker's rules differ from them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from deploy.kafka.topic_declarations import Topic
from deploy.postgres.services import SERVICES

ADMIN = "admin"
"""The account that creates topics and accounts. On the platform's own nodes it is a superuser."""

_EVERYTHING = (("topic", "*"), ("group", "*"), ("broker", "kafka-cluster"))


@dataclass(frozen=True, order=True)
class Acl:
    """One access rule, in Kafka's terms, in which the resource `broker` is the whole cluster."""

    user: str
    permission: str
    operation: str
    resource: str
    name: str
    pattern: str = "literal"
    host: str = "*"

    def __str__(self) -> str:
        """Return the rule as a phrase."""
        where = "" if self.host == "*" else f" from {self.host}"
        name = f"{self.name}*" if self.pattern == "prefixed" else self.name
        return f"{self.user}: {self.permission} {self.operation} of {self.resource} {name}{where}"


@dataclass(frozen=True)
class AclDifference:
    """The declared rules that a broker lacks, and its rules that are not declared."""

    missing: tuple[Acl, ...]
    surplus: tuple[Acl, ...]

    def __bool__(self) -> bool:
        """Whether the rules differ."""
        return bool(self.missing or self.surplus)

    def lines(self) -> list[str]:
        """Return a line for each rule: `+` is declared and missing, `-` is there and not declared."""
        return [*(f"+ {acl}" for acl in self.missing), *(f"- {acl}" for acl in self.surplus)]


def account_of(agency: str) -> str:
    """Return the name of an agency's account."""
    return f"agency.{agency}"


def accounts_of(topics: Iterable[Topic]) -> dict[str, str]:
    """Return the owners and readers of topics, each with the name of its account."""
    names = {name for topic in topics for name in (topic.owner, *topic.readers)}
    return {name: name if name in SERVICES else account_of(name) for name in sorted(names)}


def declared_acls(topics: Collection[Topic], admin: str = ADMIN) -> frozenset[Acl]:
    """Return the rules that these topics need.

    Write permission implies idempotent production, and read and write permission imply describe permission, so neither
    needs a rule.
    """
    accounts = accounts_of(topics)
    rules = [Acl(admin, "allow", "all", resource, name) for resource, name in _EVERYTHING]
    for topic in topics:
        rules.append(Acl(accounts[topic.owner], "allow", "write", "topic", topic.name))
        for reader in topic.readers:
            rules.append(Acl(accounts[reader], "allow", "read", "topic", topic.name))
            rules += _groups(accounts[reader])
    return frozenset(rules)


def difference(declared: Collection[Acl], found: Iterable[Acl], topics: Collection[Topic]) -> AclDifference:
    """Compare the rules of a broker with the declared ones; leave out rules about topics of other systems."""
    ours = {acl for acl in found if acl in declared or _concerns_us(acl, topics)}
    return AclDifference(tuple(sorted(set(declared) - ours)), tuple(sorted(ours - set(declared))))


def _groups(account: str) -> Iterator[Acl]:
    """Yield the rules for the consumer groups of an account: the one with its name, and those that begin with it."""
    separator = "-" if account in SERVICES else "."
    yield Acl(account, "allow", "read", "group", account)
    yield Acl(account, "allow", "read", "group", account + separator, "prefixed")


def _concerns_us(acl: Acl, topics: Collection[Topic]) -> bool:
    """Return whether a rule is about one of our accounts, or about a topic or group with one of our prefixes."""
    prefixes = {topic.name.partition(".")[0] for topic in topics} | set(SERVICES)
    if acl.user == "*" or acl.user.partition(".")[0] in {*prefixes, ADMIN}:
        return True
    if acl.resource not in {"topic", "group"}:
        return False
    if acl.name == "*" or any(acl.name.startswith(prefix) for prefix in prefixes):
        return True
    return acl.pattern == "prefixed" and any(prefix.startswith(acl.name) for prefix in prefixes)
