"""What all examples are about: an invented case of a cold flat with an invented tenant."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.events.fields import AddressFields, LanguageFields, LocationFields, NarrativeFields, NeedFields, Released

FILED: Final = datetime(2026, 1, 14, 7, 42, 5, tzinfo=UTC)
AGENCY: Final = "hpd"


def example_id(name: str) -> UUID:
    """Return the id that the examples use for this name."""
    return uuid5(NAMESPACE_URL, f"urn:handoff:example:{name}")


def after(**passed: float) -> datetime:
    """Return the moment that is so long after the report."""
    return FILED + timedelta(**passed)


CASE: Final = {"case_id": example_id("case")}
NEED: Final = {"need_id": example_id("need"), "need": "inadequate-housing"}
REFERRAL: Final = {"referral_id": example_id("referral")}


def released() -> Released:
    """Return what the agency is given of it."""
    return Released(
        need=NeedFields(service_code="heat-hot-water", need=str(NEED["need"]), urgency="urgent"),
        location=LocationFields(cell="882a100d65fffff", district="manhattan"),
        address=AddressFields(address="14 Juniper Street, 3B", postal_code="10011", lat=40.7412, long=-73.9991),
        narrative=NarrativeFields(
            description="The radiators have been cold since Monday.",
            attributes={"scope": ("building",), "missing": ("heat",)},
        ),
        language_access=LanguageFields(language="es"),
    )
