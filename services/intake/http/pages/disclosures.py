"""The disclosures of a report that its person may know of: in words for the status page, and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.consents import StoredConsent
from services.intake.domain.disclosures import EMERGENCY_ACCESS, DisclosureEntry, DisclosureLog, RecallEntry
from services.intake.domain.validation import refusal
from services.intake.http.api.resource import Format, answer, refuse
from services.intake.http.pages.renderer import HEADERS, DateFormatter, texts_for
from services.intake.http.translations import Texts
from services.intake.use_cases.context import IntakeContext
from services.intake.use_cases.own_report import find_report, read_disclosures
from shared.events.fields import FieldGroup
from shared.kit.http.replies import JsonAnswer

NO_TOKEN = refusal(HTTPStatus.NOT_FOUND, "token was not found")


class RecallAnswer(JsonAnswer):
    """The recall of a disclosure, or of some of its field groups."""

    at: datetime
    groups: list[FieldGroup]
    why: Literal["consent-withdrawn", "consent-expired"]


class DisclosureAnswer(JsonAnswer):
    """One disclosure: what an agency was given, when, and why."""

    receipt_id: str | None
    given_at: datetime
    agency: str
    agency_name: str
    channel: Literal["event", "read", "emergency", "opened"]
    groups: list[FieldGroup]
    purpose: str | None
    words: str
    why: list[str]
    ends_at: datetime | None
    recalled: list[RecallAnswer]


class DisclosuresAnswer(JsonAnswer):
    """The disclosures of a report that its person may know of."""

    disclosures: list[DisclosureAnswer]


@dataclass(frozen=True, slots=True)
class ShownDisclosure:
    """One disclosure with its recalls, and the reasons for both in words."""

    entry: DisclosureEntry
    headline: str
    reasons: tuple[str, ...]
    recalls: tuple[tuple[RecallEntry, str], ...]


@dataclass(frozen=True, slots=True)
class DisclosureView:
    """Puts disclosures into words for one person; `consents` are theirs, by id."""

    texts: Texts
    when: DateFormatter
    consents: Mapping[str, StoredConsent]

    def shown(self, log: DisclosureLog, at: datetime) -> list[ShownDisclosure]:
        """Put into words the disclosures that are not under embargo at a moment."""
        return [self._shown(entry, log.recalls) for entry in log.disclosures if entry.is_shown(at)]

    def _shown(self, entry: DisclosureEntry, recalls: Iterable[RecallEntry]) -> ShownDisclosure:
        agency = self.texts.jurisdiction.agency_name(entry.agency)
        ends = self.when(entry.ends_at) if entry.ends_at else ""
        words = self.texts[f"disclosure.{entry.channel}" if entry.groups else "disclosure.exists"]
        headline = words.format(agency=agency, groups=self.texts.groups(entry.groups), ends=ends)
        reasons = tuple(dict.fromkeys(self._reason(ground) for ground in entry.grounds))
        own = [(each, self._recall(each)) for each in recalls if each.receipt_id == entry.receipt_id]
        return ShownDisclosure(entry, headline, reasons, tuple(own))

    def _reason(self, ground: Mapping[str, Any]) -> str:
        """Return the reason: the sentence of the clause, the day of the consent, or that it was an emergency."""
        kind, name = ground["kind"], ground["id"]
        if kind == "emergency":
            return self.texts["disclosure.in_emergency"]
        if kind == "consent":
            known = self.consents.get(name)
            day = self.when.day(known.granted_at) if known else None
            return self.texts["disclosure.consent"].format(granted=day) if day else self.texts["disclosure.consented"]
        why = self.texts.jurisdiction.consent_catalogue.why(name)
        return self.texts.reason(why) if why else self.texts["disclosure.agreement"].format(ground=name)

    def _recall(self, recall: RecallEntry) -> str:
        groups = self.texts.groups(recall.groups)
        return self.texts["disclosure.recalled" if groups else "disclosure.recalled_all"].format(
            recalled=self.when(recall.recalled_at), groups=groups
        )


async def get_disclosures(context: IntakeContext, form: Format, request: Request) -> Response:
    """Answer with the disclosures of the report that a token opens."""
    report = await find_report(context, request.path_params["token"])
    if report is None:
        return refuse(form, NO_TOKEN)
    log, consents = await read_disclosures(context, report.case.case_id)
    texts = texts_for(context, request)
    view = view_of(context, texts, consents)
    shown = [_answer(each, texts) for each in view.shown(log, context.clock())]
    response = answer(form, "disclosures", DisclosuresAnswer(disclosures=shown))
    response.headers.update({name: HEADERS[name] for name in ("Cache-Control", "Referrer-Policy")})
    return response


def view_of(context: IntakeContext, texts: Texts, consents: Iterable[StoredConsent]) -> DisclosureView:
    """Make the view of a person who has granted these consents."""
    return DisclosureView(texts, DateFormatter(context, texts), {str(each.consent_id): each for each in consents})


def _answer(shown: ShownDisclosure, texts: Texts) -> DisclosureAnswer:
    entry = shown.entry
    return DisclosureAnswer(
        receipt_id=None if entry.channel == EMERGENCY_ACCESS else str(entry.receipt_id),
        given_at=entry.given_at,
        agency=entry.agency,
        agency_name=texts.jurisdiction.agency_name(entry.agency),
        channel=entry.channel,
        groups=list(entry.groups),
        purpose=entry.purpose,
        words=shown.headline,
        why=list(shown.reasons),
        ends_at=entry.ends_at,
        recalled=[
            RecallAnswer(at=recall.recalled_at, groups=list(recall.groups), why=recall.why)
            for recall, _ in shown.recalls
        ],
    )
