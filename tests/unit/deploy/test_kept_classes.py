"""Kafka's classes are read back where this Java has kept those of these jars, and nobody misses them elsewhere."""

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


def kept(runtime: KafkaRuntime) -> Path:
    """Where the classes are kept, which this Java can."""
    assert runtime.aot_cache is not None
    return runtime.aot_cache


@pytest.mark.parametrize("release", ['JAVA_VERSION="21.0.4"\n', 'JAVA_VERSION="17"\n', "something else\n"])
def test_a_java_that_cannot_build_aot_cache_is_not_asked_to(runtime: KafkaRuntime, release: str) -> None:
    (runtime.java.parent.parent / "release").write_text(release)
    assert runtime.aot_cache is None
    assert not needs_aot_cache(runtime)
    assert not [word for word in runtime.command("kafka.Kafka") if "AOT" in word]
    build_aot_cache(runtime)
    assert [file.name for file in runtime.jars.iterdir()] == ["a.jar"]


def test_a_java_that_does_not_say_its_version_is_not_asked_to(runtime: KafkaRuntime) -> None:
    (runtime.java.parent.parent / "release").unlink()
    assert not needs_aot_cache(runtime)


def test_classes_are_read_back_once_they_are_kept(runtime: KafkaRuntime) -> None:
    assert needs_aot_cache(runtime)
    kept(runtime).touch()
    assert not needs_aot_cache(runtime)
    assert f"-XX:AOTCache={kept(runtime)}" in runtime.command("kafka.Kafka")


def test_each_java_has_a_file_of_its_own(runtime: KafkaRuntime) -> None:
    before = kept(runtime)
    (runtime.java.parent.parent / "release").write_text('JAVA_VERSION="25.0.3"\n')
    assert kept(runtime) != before


def test_classes_of_jars_that_were_fetched_again_are_kept_again(runtime: KafkaRuntime) -> None:
    kept(runtime).touch()
    later = kept(runtime).stat().st_mtime + 10
    os.utime(runtime.jars / "a.jar", (later, later))
    assert needs_aot_cache(runtime)
    assert not [word for word in runtime.command("kafka.Kafka") if "AOT" in word]


def test_when_classes_cannot_be_kept_it_is_said_and_nothing_is_left_behind(
    runtime: KafkaRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        build_aot_cache(runtime)
    assert "not written, so Kafka starts more slowly" in caplog.text
    assert "no memory" in caplog.text
    assert {file.suffix for file in runtime.jars.iterdir()} == {".jar", ".lock"}
    assert needs_aot_cache(runtime)
