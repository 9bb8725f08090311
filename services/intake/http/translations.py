"""The texts of pages and notes, in every language that has a file in `locales`."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from services.intake.domain.city import IntakeCity
from shared.city.service_list import Attribute, NeedKind, ServiceKind
from shared.events.fields import FieldGroup

ENDONYMS = {
    "bn": "বাংলা",
    "en": "English",
    "es": "Español",
    "ht": "Kreyòl ayisyen",
    "ru": "Русский",
    "zh": "中文",
}

FOLDER = Path(__file__).parent / "locales"


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language; what the city's own files do not translate stays in their language."""

    language: str
    texts: Mapping[str, Any]
    jurisdiction: IntakeCity

    def __getitem__(self, key: str) -> str:
        """Return the text of a key, such as `form.send`."""
        found: Any = self.texts
        for part in key.split("."):
            found = found[part]
        return str(found)

    def describe_note(self, kind: str, agency: str | None, need: str | None) -> str:
        """Describe a note of a case's history."""
        names = {"agency": self.jurisdiction.agency_name(agency or ""), "need": self.need(need or "")}
        return str(self.texts["note"].get(kind, self.texts["note"]["other"])).format(**names)

    def need(self, code: str) -> str:
        """Return what people call a need."""
        kind = self.jurisdiction.catalogue.needs.get(code)
        return self._translated(("need", code, "name"), kind.name if kind else code)

    def service(self, code: str, part: str = "name") -> str:
        """Return what people call a service, or its description."""
        kind = self.jurisdiction.catalogue.services.get(code)
        return self._translated(("service", code, part), getattr(kind, part) if kind else code)

    def group(self, name: str) -> str:
        """Return a heading."""
        return self._translated(("group", name), name)

    def question(self, service: str, code: str, otherwise: str) -> str:
        """Return a service's question, or how to answer it."""
        return self._translated(("service", service, "attribute", code), otherwise)

    def choice(self, name: str) -> str:
        """Return a choice of a list."""
        return self._translated(("choice", name), name)

    def choices(self, question: Attribute) -> list[tuple[str, str]]:
        """Return the choices of a question: key and words."""
        return [(choice.key, self.choice(choice.name)) for choice in question.values]

    def need_choices(self, needs: Iterable[NeedKind]) -> list[tuple[str, str]]:
        """Return needs as choices: code and words."""
        return [(need.code, self.need(need.code)) for need in needs]

    def reason(self, sentence: str) -> str:
        """Translate the sentence of an agreement that says why something is disclosed."""
        return self._translated(("why", sentence), sentence)

    def purpose(self, code: str) -> str:
        """Return what something is disclosed for."""
        return str(self.texts["purpose"].get(code, code.replace("-", " ")))

    def groups(self, groups: Iterable[str]) -> str:
        """List field groups, with commas."""
        return ", ".join(self[f"group.{FieldGroup(group).value}"] for group in groups)

    def consent_scope(self, groups: Collection[str], protections: Collection[FieldGroup]) -> str:
        """List what a consent allows; the groups that protect a whole report stand for all that is needed of it."""
        is_whole = bool(protections) and set(protections) <= set(groups)
        others = [group for group in groups if group not in protections] if is_whole else groups
        whole = [self["share.report"]] if is_whole else []
        return ", ".join([*whole, *([self.groups(others)] if others else [])])

    def label_of(self, service: ServiceKind | None, field: str) -> str:
        """Return what the form calls a field."""
        if service is not None:
            for question in service.attribute:
                if field == f"attribute[{question.code}]":
                    return self.question(service.code, question.code, question.description)
        if field.startswith("consent["):
            return str(self.texts["share"][field.removeprefix("consent[").rstrip("]")])
        label = self.texts["label"].get({"address_string": "address"}.get(field, field))
        return str(label or field)

    @staticmethod
    def endonym(language: str) -> str:
        """Return the name of a language in that language."""
        return ENDONYMS.get(language, language)

    def _translated(self, keys: tuple[str, ...], otherwise: str) -> str:
        found: Any = self.jurisdiction.translations.get(self.language, {})
        for key in keys:
            found = found.get(key, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, str) else otherwise


@cache
def _load(language: str) -> Mapping[str, Any]:
    return tomllib.loads((FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


LANGUAGES = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
"""The languages that have texts."""


def texts_in(language: str, jurisdiction: IntakeCity) -> Texts:
    """Return the texts of a language, or of English for a language without texts."""
    known = language if language in LANGUAGES else "en"
    return Texts(known, _load(known), jurisdiction)
