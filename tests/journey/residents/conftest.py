"""One city for all tests of this folder."""

from collections.abc import Iterator

import pytest

from tests.city import City, running_city


@pytest.fixture(scope="package")
def city() -> Iterator[City]:
    """Run the platform, with every process that `handoff up` starts."""
    with running_city() as made:
        yield made
