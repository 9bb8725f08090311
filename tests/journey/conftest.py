"""One city for all journeys of a run."""

from collections.abc import Iterator

import pytest

from tests.city import City, running_city


@pytest.fixture(scope="session")
def city() -> Iterator[City]:
    """Run the platform, with every process that `handoff up` starts."""
    with running_city() as made:
        yield made
