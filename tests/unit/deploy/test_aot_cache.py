"""Kafka's ahead-of-time cache is used if this Java wrote it for these jars, and is optional."""

import logging
import os
from pathlib import Path

import pytest

from deploy.local.servers.aot_cache import build_aot_cache, needs_aot_cache
from deploy.local.servers.kafka_runtime import KafkaRuntime


@pytest.fixture
def runtime(tmp_path: Path) -> KafkaRuntime:
    """A Java of version 25 that fails, and a folder with one jar."""
    java = tmp_path / "java-25" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho no memory\nexit 1\n")
    java.chmod(0o755)
    (tmp_path / "java-25" / "release").write_text('IMPLEMENTOR="X"\nJAVA_VERSION="25.0.2"\n')
    jars = tmp_path / "jars"
    jars.mkdir()
    (jars / "a.jar").touch()
    return KafkaRuntime(java, jars)


def cache(runtime: KafkaRuntime) -> Path:
    """Return the file of the cache, which this Java can write."""
    assert runtime.aot_cache is not None
    return runtime.aot_cache


@pytest.mark.parametrize("release", ['JAVA_VERSION="21.0.4"\n', 'JAVA_VERSION="17"\n', "something else\n"])
def test_an_older_java_is_run_without_a_cache(runtime: KafkaRuntime, release: str) -> None:
    (runtime.java.parent.parent / "release").write_text(release)
    assert runtime.aot_cache is None
    assert not needs_aot_cache(runtime)
    assert not [word for word in runtime.command("kafka.Kafka") if "AOT" in word]
    build_aot_cache(runtime)
    assert [file.name for file in runtime.jars.iterdir()] == ["a.jar"]


def test_a_java_without_a_release_file_is_run_without_a_cache(runtime: KafkaRuntime) -> None:
    (runtime.java.parent.parent / "release").unlink()
    assert not needs_aot_cache(runtime)


def test_the_cache_is_used_once_it_exists(runtime: KafkaRuntime) -> None:
    assert needs_aot_cache(runtime)
    cache(runtime).touch()
    assert not needs_aot_cache(runtime)
    assert f"-XX:AOTCache={cache(runtime)}" in runtime.command("kafka.Kafka")


def test_each_java_has_its_own_cache(runtime: KafkaRuntime) -> None:
    before = cache(runtime)
    (runtime.java.parent.parent / "release").write_text('JAVA_VERSION="25.0.3"\n')
    assert cache(runtime) != before


def test_newer_jars_invalidate_the_cache(runtime: KafkaRuntime) -> None:
    cache(runtime).touch()
    later = cache(runtime).stat().st_mtime + 10
    os.utime(runtime.jars / "a.jar", (later, later))
    assert needs_aot_cache(runtime)
    assert not [word for word in runtime.command("kafka.Kafka") if "AOT" in word]


def test_a_failed_build_logs_a_warning_and_leaves_no_file(
    runtime: KafkaRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        build_aot_cache(runtime)
    assert "not written, so Kafka starts more slowly" in caplog.text
    assert "no memory" in caplog.text
    assert {file.suffix for file in runtime.jars.iterdir()} == {".jar", ".lock"}
    assert needs_aot_cache(runtime)
