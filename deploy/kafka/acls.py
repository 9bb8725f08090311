"""Who may do what at Kafka, derived from the declared topics; and how that differs from what a broker allows."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from deploy.kafka.declared import Topic
from deploy.postgres.services import SERVICES

ADMIN = "admin"
"""The account that makes topics and accounts; on nodes of ours it may do everything in any case."""

_EVERYTHING = (("topic", "*"), ("group", "*"), ("broker", "kafka-cluster"))


@dataclass(frozen=True, order=True)
class Acl:
    """One rule of a broker, in Kafka's own words; `broker` is its name in them for the whole cluster."""

    user: str
    permission: str
    operation: str
    resource: str
    name: str
    pattern: str = "literal"
    host: str = "*"

    def __str__(self) -> str:
        """Say it as a sentence."""
        where = "" if self.host == "*" else f" from {self.host}"
        name = f"{self.name}*" if self.pattern == "prefixed" else self.name
        return f"{self.user}: {self.permission} {self.operation} of {self.resource} {name}{where}"


@dataclass(frozen=True)
class Difference:
    """What a broker lacks, and what it allows or forbids beyond the declaration."""

    missing: tuple[Acl, ...]
    surplus: tuple[Acl, ...]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.missing or self.surplus)

    def lines(self) -> list[str]:
        """Say it line by line: `+` is declared and missing, `-` is there and not declared."""
        return [*(f"+ {acl}" for acl in self.missing), *(f"- {acl}" for acl in self.surplus)]


def account_of(agency: str) -> str:
    """Name of the account that an agency has."""
    return f"agency.{agency}"


def accounts_of(topics: Iterable[Topic]) -> dict[str, str]:
    """Who writes or reads topics, each with the name of its account."""
    names = {name for topic in topics for name in (topic.owner, *topic.readers)}
    return {name: name if name in SERVICES else account_of(name) for name in sorted(names)}


def declared_acls(topics: Collection[Topic], admin: str = ADMIN) -> frozenset[Acl]:
    """Every rule that these topics need, and no other.

    Who may write to a topic may also number what it writes (an idempotent producer), and whoever reads or writes may
    describe: Kafka has no rule of its own for either.
    """
    accounts = accounts_of(topics)
    rules = [Acl(admin, "allow", "all", resource, name) for resource, name in _EVERYTHING]
    for topic in topics:
        rules.append(Acl(accounts[topic.owner], "allow", "write", "topic", topic.name))
        for reader in topic.readers:
            rules.append(Acl(accounts[reader], "allow", "read", "topic", topic.name))
            rules += _groups(accounts[reader])
    return frozenset(rules)


def difference(declared: Collection[Acl], found: Iterable[Acl], topics: Collection[Topic]) -> Difference:
    """Hold what a broker allows against what is declared; what is about other people's topics is theirs."""
    ours = {acl for acl in found if acl in declared or _reaches_us(acl, topics)}
    return Difference(tuple(sorted(set(declared) - ours)), tuple(sorted(ours - set(declared))))


def _groups(account: str) -> Iterator[Acl]:
    """The consumer groups of an account: the one of its name, and those that begin with it."""
    mark = "-" if account in SERVICES else "."
    yield Acl(account, "allow", "read", "group", account)
    yield Acl(account, "allow", "read", "group", account + mark, "prefixed")


def _reaches_us(acl: Acl, topics: Collection[Topic]) -> bool:
    """Whether a rule is about one of our accounts, or about a topic or group whose name is of our kind."""
    kinds = {topic.name.partition(".")[0] for topic in topics} | set(SERVICES)
    if acl.user == "*" or acl.user.partition(".")[0] in {*kinds, ADMIN}:
        return True
    if acl.resource not in {"topic", "group"}:
        return False
    if acl.name == "*" or any(acl.name.startswith(kind) for kind in kinds):
        return True
    return acl.pattern == "prefixed" and any(kind.startswith(acl.name) for kind in kinds)
