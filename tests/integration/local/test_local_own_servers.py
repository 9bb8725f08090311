"""A platform with an external Kafka and an external PostgreSQL."""

from pathlib import Path

import pytest

from deploy.local import background
from deploy.local.inspection import inspect
from deploy.local.servers.temporary import child_kafka, child_postgres, temporary_folder
from deploy.local.settings import DataFolder

pytestmark = [pytest.mark.servers, pytest.mark.slow, pytest.mark.timeout(300)]


def test_external_servers_are_used_and_none_are_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with child_kafka() as kafka, child_postgres() as url, temporary_folder() as path:
        for name, value in kafka.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HANDOFF_DATABASE_URL", url)
        monkeypatch.setenv("HANDOFF_PORTS", "any")
        # Without jars, a Kafka of our own could not even start.
        monkeypatch.setenv("HANDOFF_CACHE_DIR", str(tmp_path / "empty"))
        folder = DataFolder(path / "data")
        state = background.start(folder, tied=True)
        try:
            reports = {report.name: report for report in inspect(state)}
        finally:
            background.stop(folder)
    assert all(report.health.ready for report in reports.values())
    assert reports["kafka"].address == kafka.bootstrap
    assert (reports["kafka"].pid, reports["postgres"].pid) == (None, None)
    assert not folder.postgres.exists()
