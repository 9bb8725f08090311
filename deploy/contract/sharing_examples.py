"""One example of each event about sharing: consents, disclosures, recalls, emergencies, erasure."""

from collections.abc import Iterator
from typing import Final

from deploy.contract.invented import AGENCY, CASE, REFERRAL, after, example_id, released
from shared.events import agency_inbox as inbox
from shared.events import disclosures, intake
from shared.events.event import Event
from shared.events.fields import FieldGroup

CONSENT: Final = {"consent_id": example_id("consent")}
RECEIPT: Final = example_id("receipt")
ACCESS: Final = {"access_id": example_id("access"), "ends_at": after(hours=12)}
PURPOSE: Final = "service-delivery"


def sharing_examples() -> Iterator[Event]:
    """Tell one event of each kind."""
    yield from _consents()
    yield from _disclosures()
    yield from _inbox()


def _consents() -> Iterator[Event]:
    consent = {**CASE, **CONSENT}
    yield intake.ConsentGranted(
        **consent,
        occurred_at=after(minutes=4),
        recipients=(AGENCY,),
        groups=(FieldGroup.HEALTH,),
        purpose=PURPOSE,
        ends_at=after(days=90),
    )
    yield intake.ConsentWithdrawn(**consent, occurred_at=after(days=3))
    yield intake.PersonErased(**CASE, person_id=example_id("person"), erased_at=after(days=40))


def _disclosures() -> Iterator[Event]:
    about = {**CASE, **REFERRAL, "agency": AGENCY}
    yield disclosures.DisclosureMade(
        **about,
        groups=(FieldGroup.NEED, FieldGroup.ADDRESS, FieldGroup.NARRATIVE),
        occurred_at=after(seconds=1),
        receipt_id=RECEIPT,
        channel="event",
        purpose=PURPOSE,
        grounds=(disclosures.Ground(kind="agreement", id="front-door-hpd/inspections", version=1),),
    )
    recalled = {"groups": (FieldGroup.HEALTH,), "receipts": (RECEIPT,), "why": "consent-withdrawn"}
    yield disclosures.DisclosureRecalled(**about, **CONSENT, **recalled, occurred_at=after(days=3))
    yield disclosures.EmergencyAccessOpened(
        **about, **ACCESS, groups=(FieldGroup.IDENTITY, FieldGroup.CONTACT), occurred_at=after(hours=8)
    )


def _inbox() -> Iterator[Event]:
    about = {**CASE, **REFERRAL}
    yield inbox.ReferralAmended(
        **about,
        sent_at=after(minutes=4),
        released=released(),
        withheld=(FieldGroup.IDENTITY, FieldGroup.CONTACT),
        link=f"/partner/v1/referrals/{REFERRAL['referral_id']}",
        terms=(
            inbox.Terms(agreement="front-door-hpd", version=1, groups=(FieldGroup.NEED,), retain_days=365),
            inbox.Terms(agreement="housing-health", version=2, groups=(FieldGroup.HEALTH,), **CONSENT),
        ),
        receipt_id=RECEIPT,
    )
    recalled = {"groups": (FieldGroup.HEALTH,), "receipts": (RECEIPT,), "why": "consent-withdrawn"}
    yield inbox.DisclosureRecalled(**about, **CONSENT, **recalled, sent_at=after(days=3))
    yield inbox.PersonErased(**about, sent_at=after(days=40))
    yield inbox.EmergencyAccess(**about, **ACCESS, sent_at=after(hours=8), agency="dohmh")
