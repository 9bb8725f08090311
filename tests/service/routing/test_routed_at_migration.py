"""Cases from before the migration are found by their number, and by when they were routed."""

import importlib.util
from pathlib import Path

import pytest

from services.routing import migrations
from tests.builders import NOON
from tests.service.routing.harness import RoutingHarness

pytestmark = pytest.mark.servers

FILE = Path(next(iter(migrations.__path__))) / "versions" / "0006_hindsight.py"


def statements() -> tuple[str, ...]:
    """What the migration runs."""
    spec = importlib.util.spec_from_file_location("hindsight", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: tuple[str, ...] = module.STATEMENTS
    return found


async def test_cases_from_before_are_given_their_number_and_when_they_were_routed(harness: RoutingHarness) -> None:
    harness.clock.shown = NOON.replace(hour=14)
    await harness.consume(harness.file("housing"), harness.file("loneliness", number=2))
    await harness.consume(harness.file("safety", number=3, service_code="violence"))
    before = harness.rows("SELECT case_id, service_request_id, routed_at FROM cases ORDER BY service_request_id")
    harness.execute(
        "ALTER TABLE cases DROP COLUMN service_request_id, DROP COLUMN routed_at",
        "DROP INDEX referrals_by_id, refused_disclosures_by_time",
        *statements(),
    )
    after = harness.rows("SELECT case_id, service_request_id, routed_at FROM cases ORDER BY service_request_id")
    assert after[:2] == before[:2]
    assert after[2][:2] == before[2][:2]
    assert after[2][2] == NOON, "no decision about a suppressed case was recorded: the time of its report counts"
