"""Where the sample city's routing rules and agreements send a report."""

from services.routing.domain.city import PlacementQuery
from services.routing.domain.placement import Placed, Unplaced, place
from shared.events.fields import FieldGroup
from tests.builders import NOON
from tests.unit.routing.fixtures import sample_city


def test_the_sample_city_sends_a_cold_apartment_to_housing_and_rats_to_health() -> None:
    city = sample_city()
    asked = {
        ("inadequate-housing", "heat-hot-water"): "hpd/heat-and-hot-water",
        ("environmental-health", "rats-or-mice"): "dohmh/pest-control",
        ("noise", "noise-from-works"): "dep/noise-inspections",
    }
    for (need, service), program in asked.items():
        placed = place(PlacementQuery(need, service, "bronx", "routine", (), NOON), city)
        assert isinstance(placed, Placed)
        assert placed.program.name == program


def test_the_sample_city_sends_violence_by_a_partner_to_no_agency_without_a_consent() -> None:
    city = sample_city()
    protections = city.protection.protections_of("partner-violence-help", ["intimate-partner-violence"])
    assert protections == (FieldGroup.VICTIM_SERVICES,)
    query = PlacementQuery("intimate-partner-violence", "partner-violence-help", "bronx", "urgent", protections, NOON)
    assert isinstance(place(query, city), Unplaced)
