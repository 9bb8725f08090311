"""Fetching single jars from Maven repositories, through jgo."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver
from requests import RequestException

from deploy.local.folders import kafka_jars_folder
from deploy.local.pinned_jars import PinnedJar
from deploy.local.problems import JarsMissingError

_PAUSES_SECONDS = (0.5, 2.0)


class Fetcher:
    """Fetches jars into a folder of its own; `received` hears how many bytes came in."""

    def __init__(self, incoming: Path, received: Callable[[int], None]) -> None:
        @contextmanager
        def listen(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
            yield received

        # A mirror that the user has set up for jgo is asked before Maven Central.
        repositories = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
        self._context = MavenContext(
            resolver=PythonResolver(progress_callback=listen),
            repo_cache=incoming,
            local_repos=[],
            remote_repos=repositories,
            timeout=20,
        )
        self._incoming = incoming

    def fetch(self, jar: PinnedJar) -> Path:
        """Fetch one jar, trying again after a pause; raise `JarsMissingError` when it is not to be had."""
        for pause in _PAUSES_SECONDS:
            try:
                return self._fetch_once(jar)
            except (RequestException, OSError):
                time.sleep(pause)
        try:
            return self._fetch_once(jar)
        except (RequestException, OSError, RuntimeError) as error:
            raise JarsMissingError(_advice(jar, error)) from error

    def _fetch_once(self, jar: PinnedJar) -> Path:
        artifact = self._context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
        if artifact.cached_path is not None:
            # A download that was cut off leaves its first part behind, which jgo would take for the whole.
            artifact.cached_path.unlink(missing_ok=True)
        return artifact.resolve()


def _advice(jar: PinnedJar, error: Exception) -> str:
    return (
        f"{jar.file_name} ({jar.group}:{jar.artifact}:{jar.version}) could not be fetched: {type(error).__name__}. "
        "Apache Kafka's jars are fetched once, from Maven Central. When the network is back, run the same command "
        "again: it goes on where it stopped. Without a network, put the jars that deploy/local/kafka-jars.sha256 "
        f"lists into {kafka_jars_folder()}, or set HANDOFF_KAFKA_BOOTSTRAP to use a Kafka of your own."
    )
