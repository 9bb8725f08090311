"""Kafka's ahead-of-time cache: written by one run of Kafka, and read by another."""

import subprocess
from pathlib import Path

import pytest

from deploy.local.servers.aot_cache import build_aot_cache
from deploy.local.servers.kafka_jars import pinned_jars
from deploy.local.servers.kafka_runtime import KafkaRuntime
from deploy.local.servers.temporary import kafka_runtime

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

INSISTING = "-XX:AOTMode=on"
"""Java fails if it cannot use the cache."""


def random_uuid(runtime: KafkaRuntime) -> "subprocess.CompletedProcess[str]":
    """Run one of Kafka's programs with the cache."""
    java, *options = runtime.command("kafka.tools.StorageTool", "random-uuid")
    return subprocess.run(  # noqa: S603 - our own command
        [java, INSISTING, *options], capture_output=True, text=True, check=False, timeout=60
    )


def test_the_cache_is_written_by_one_run_and_used_by_the_next(tmp_path: Path) -> None:
    here = kafka_runtime()
    jars = tmp_path / "jars"
    jars.mkdir()
    for jar in pinned_jars():
        (jars / jar.file_name).symlink_to(here.jars / jar.file_name)
    runtime = KafkaRuntime(here.java, jars)
    if runtime.aot_cache is None:
        pytest.skip("this Java keeps no classes: it is older than version 25")
    build_aot_cache(runtime)
    assert runtime.has_valid_aot_cache
    done = random_uuid(runtime)
    assert (done.returncode, len(done.stdout.strip())) == (0, 22), done.stderr
    rest = {file.name for file in jars.iterdir()} - {jar.file_name for jar in pinned_jars()}
    assert rest == {runtime.aot_cache.name, runtime.aot_cache.with_suffix(".lock").name}

    runtime.aot_cache.write_bytes(b"not what Java has written")
    assert random_uuid(runtime).returncode != 0
