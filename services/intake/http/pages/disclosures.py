"""What the person of a report may know of what was given to whom: in words for the page, and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from services.intake.domain.consents import StoredConsent
from services.intake.domain.disclosures import EMERGENCY_ACCESS, DisclosureEntry, DisclosureLog, RecallEntry
from services.intake.domain.problems import refusal
from services.intake.http.api.formats import Format, answer, refuse
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
    """How one person is told: in which words, how moments are written, and what they had consented to."""

    texts: Texts
    when: DateFormatter
    granted: Mapping[str, StoredConsent]

    def shown(self, told: DisclosureLog, at: datetime) -> list[ShownDisclosure]:
        """Put into words what may be known at a moment."""
        return [self._shown(entry, told.recalls) for entry in told.disclosures if entry.is_shown(at)]

    def _shown(self, entry: DisclosureEntry, recalls: Iterable[RecallEntry]) -> ShownDisclosure:
        agency = self.texts.jurisdiction.agency_name(entry.agency)
        ends = self.when(entry.ends_at) if entry.ends_at else ""
        words = self.texts[f"given.{entry.channel}" if entry.groups else "given.exists"]
        headline = words.format(agency=agency, groups=self.texts.groups(entry.groups), ends=ends)
        reasons = tuple(dict.fromkeys(self._reason(ground) for ground in entry.grounds))
        mine = [(each, self._recall(each)) for each in recalls if each.receipt_id == entry.receipt_id]
        return ShownDisclosure(entry, headline, reasons, tuple(mine))

    def _reason(self, ground: Mapping[str, Any]) -> str:
        """Say why: the sentence of the clause, the day of the consent, or that it was an emergency."""
        kind, name = ground["kind"], ground["id"]
        if kind == "emergency":
            return self.texts["given.in_emergency"]
        if kind == "consent":
            known = self.granted.get(name)
            day = self.when.day(known.granted_at) if known else None
            return self.texts["given.consent"].format(granted=day) if day else self.texts["given.consented"]
        why = self.texts.jurisdiction.sharing.why(name)
        return self.texts.why(why) if why else self.texts["given.agreement"].format(ground=name)

    def _recall(self, recall: RecallEntry) -> str:
        groups = self.texts.groups(recall.groups)
        return self.texts["given.recalled" if groups else "given.recalled_all"].format(
            recalled=self.when(recall.recalled_at), groups=groups
        )


async def get_disclosures(context: IntakeContext, form: Format, request: Request) -> Response:
    """Tell the holder of a token what was given to whom, and why."""
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


def view_of(context: IntakeContext, texts: Texts, given: Iterable[StoredConsent]) -> DisclosureView:
    """Make the view of somebody who has given these consents."""
    return DisclosureView(texts, DateFormatter(context, texts), {str(each.consent_id): each for each in given})


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
