"""Downloads single jars from Maven repositories with jgo."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext, PythonResolver
from requests import RequestException

from deploy.errors import JarsMissingError
from deploy.local.settings import kafka_jars_folder

_PAUSES_SECONDS = (0.5, 2.0)


class MavenDownloader:
    """Downloads jars into the folder `incoming`; `received` is called with each number of received bytes."""

    def __init__(self, incoming: Path, received: Callable[[int], None]) -> None:
        @contextmanager
        def listen(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
            yield received

        # A mirror from the user's settings of jgo comes before Maven Central.
        repositories = {**GlobalSettings.load().repositories, "central": MAVEN_CENTRAL_URL}
        self._context = MavenContext(
            resolver=PythonResolver(progress_callback=listen),
            repo_cache=incoming,
            local_repos=[],
            remote_repos=repositories,
            timeout=20,
        )

    def download(self, group: str, artifact: str, version: str) -> Path:
        """Download one jar, with pauses between three tries.

        Raises:
            JarsMissingError: all tries failed.
        """
        for pause in _PAUSES_SECONDS:
            try:
                return self._download_once(group, artifact, version)
            except (RequestException, OSError):
                time.sleep(pause)
        try:
            return self._download_once(group, artifact, version)
        except (RequestException, OSError, RuntimeError) as error:
            jar = f"{artifact}-{version}.jar ({group}:{artifact}:{version})"
            raise JarsMissingError(_advice(jar, error)) from error

    def _download_once(self, group: str, artifact: str, version: str) -> Path:
        jar = self._context.project(group, artifact).at_version(version).artifact()
        if jar.cached_path is not None:
            # An interrupted download leaves a partial file, which jgo would take for the whole one.
            jar.cached_path.unlink(missing_ok=True)
        return jar.resolve()


def _advice(jar: str, error: Exception) -> str:
    return (
        f"{jar} cannot be downloaded: {type(error).__name__}. "
        "Apache Kafka's jars are downloaded once, from Maven Central. When the network is back, run the same command "
        "again: it continues where it stopped. Without a network, copy the jars that "
        f"deploy/local/servers/kafka-jars.sha256 lists to {kafka_jars_folder()}, "
        "or set HANDOFF_KAFKA_BOOTSTRAP to use an external Kafka."
    )
