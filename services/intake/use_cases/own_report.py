"""Reads the report that a status token opens, for its resident: history, disclosures, consents, their own words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.intake.domain.case import Note
from services.intake.domain.consents import StoredConsent
from services.intake.domain.disclosures import DisclosureLog, embargoed_referrals
from services.intake.domain.tokens import read_token
from services.intake.store import cases, consents, disclosures, own_reports
from services.intake.store.own_reports import OwnReport
from services.intake.use_cases.context import IntakeContext
from shared.events.fields import FieldGroup


@dataclass(frozen=True, slots=True)
class ReportDetails:
    """What is stored of a report besides the case itself; `opened` is empty once its person is erased."""

    all_notes: Sequence[Note]
    disclosures: DisclosureLog
    consents: Sequence[StoredConsent]
    opened: Mapping[FieldGroup, bytes]
    is_erased: bool

    def notes(self, at: datetime) -> list[Note]:
        """Return the history, without the notes on referrals that are under embargo at a moment."""
        late = embargoed_referrals(self.disclosures.disclosures, at)
        return [note for note in self.all_notes if note.referral_id not in late]

    def agencies(self, report: OwnReport, at: datetime) -> list[str]:
        """Return the agencies that have the case, without those whose part is under embargo at a moment."""
        late = embargoed_referrals(self.disclosures.disclosures, at)
        hidden = {entry.agency for entry in self.disclosures.disclosures if entry.referral_id in late}
        known = {note.agency for note in self.notes(at)}
        return [agency for agency in report.case.agencies if agency in known or agency not in hidden]


async def find_report(context: IntakeContext, token: str) -> OwnReport | None:
    """Find the report that a token opens; None for a token that opens none."""
    claim = read_token(token)
    if claim is None:
        return None
    async with context.database.statement() as connection:
        return await own_reports.find_report(connection, claim)


async def read_details(context: IntakeContext, report: OwnReport) -> ReportDetails:
    """Read everything that the status page shows, with the resident's own words opened."""
    case_id, vault = report.case.case_id, context.vault
    async with context.database.statement() as connection:
        notes = (await cases.list_notes(connection, [case_id]))[case_id]
        log = await disclosures.list_disclosures(connection, case_id)
        stored = await consents.list_consents(connection, case_id)
        person = (await vault.load(connection, [report.person_id])).get(report.person_id)
    opened = {group: vault.open(person, group, block) for group, block in report.sealed.items()} if person else {}
    return ReportDetails(notes, log, stored, opened, person is None)


async def read_disclosures(context: IntakeContext, case_id: UUID) -> tuple[DisclosureLog, list[StoredConsent]]:
    """Read the disclosures of a case, and the consents that they depend on."""
    async with context.database.statement() as connection:
        log = await disclosures.list_disclosures(connection, case_id)
        return log, await consents.list_consents(connection, case_id)
