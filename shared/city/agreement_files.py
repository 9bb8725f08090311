"""Data-sharing agreements parsed from their texts, each by itself: an error in one does not hide the next."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.city.toml_files import Finding, TomlFile, parse_toml
from shared.city.toml_lines import TomlPath
from shared.policy.agreements import Agreement

AgreementFile = TomlFile[Agreement]
"""One agreement, with the text that it was parsed from."""


@dataclass(frozen=True, slots=True)
class AgreementFiles:
    """The agreements that could be parsed, in the order of their files' names, and the errors in the others."""

    files: tuple[AgreementFile, ...]
    errors: tuple[Finding, ...]


def parse_agreements(texts: Mapping[str, str]) -> AgreementFiles:
    """Parse agreements from texts by the names of their files."""
    parsed = [parse_agreement(name, texts[name]) for name in sorted(texts)]
    files = [each for each in parsed if isinstance(each, TomlFile)]
    errors = [finding for each in parsed if not isinstance(each, TomlFile) for finding in each]
    return AgreementFiles(tuple(files), (*errors, *_repeated(files)))


def parse_agreement(name: str, text: str) -> AgreementFile | list[Finding]:
    """Parse one agreement, or return the errors in it."""
    return parse_toml(name, text, Agreement, _place_of)


def _place_of(message: str, said: dict[str, Any]) -> TomlPath:
    """Find the key that an error about an agreement as a whole is about."""
    if message.startswith("ends"):
        return ("ends",)
    for number, share in enumerate(said["share"]):
        for key in ("from", "to"):
            for element, party in enumerate(share[key]):
                if message.startswith("not a party") and party not in said["parties"]:
                    return ("share", number, key, element)
        if share["id"] in {earlier["id"] for earlier in said["share"][:number]} and message.startswith("two shares"):
            return ("share", number, "id")
    return ()


def _repeated(files: Iterable[AgreementFile]) -> Iterator[Finding]:
    first: dict[str, AgreementFile] = {}
    for file in files:
        earlier = first.setdefault(file.content.id, file)
        if earlier is not file:
            yield file.error(f"there is an agreement {file.content.id} already: {earlier.name}", "id")
