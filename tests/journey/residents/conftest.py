"""One city for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.city import RunningCity, running_city


@pytest.fixture(scope="package")
def city() -> Iterator[RunningCity]:
    """Run the platform, with every process that `handoff up` starts."""
    with running_city() as made:
        yield made
