"""Applies routing's events to what residents see: history, agencies and status of their cases, and disclosures."""

from collections.abc import Sequence

from services.intake.domain.disclosures import project_disclosures
from services.intake.domain.progress import CaseEvent, project_progress
from services.intake.store.disclosures import save_disclosures
from services.intake.store.progress import save_progress
from shared.kit.database.database import Transaction


async def apply_referral_events(tx: Transaction, events: Sequence[CaseEvent]) -> None:
    """Apply a batch of events; events that were applied before change nothing."""
    await save_progress(tx, project_progress(events))
    await save_disclosures(tx, project_disclosures(events))
