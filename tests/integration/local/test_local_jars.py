"""Kafka's jars are downloaded once and always verified; an error names the missing jar and the remedy."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from deploy.errors import JarsMissingError
from deploy.local.servers.kafka_jars import DownloadProgress, PinnedJar, ensure_jars, missing_jars, pinned_jars
from deploy.local.settings import kafka_jars_folder


class Mirror(NamedTuple):
    """A Maven repository: its files by name, and the names that clients requested."""

    files: dict[str, bytes]
    asked: list[str]


@pytest.fixture(scope="module")
def fetched() -> Path:
    """The folder of the jars of this machine's Kafka."""
    folder = kafka_jars_folder()
    ensure_jars(folder)
    return folder


@pytest.fixture
def folder(fetched: Path, tmp_path: Path) -> Path:
    """A folder with all jars, as links."""
    folder = tmp_path / "jars"
    folder.mkdir()
    for jar in pinned_jars():
        (folder / jar.file_name).symlink_to(fetched / jar.file_name)
    return folder


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """Run an empty Maven repository on this machine."""
    files: dict[str, bytes] = {}
    asked: list[str] = []

    class Repository(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            asked.append(name)
            self.send_response(200 if name in files else 404)
            self.send_header("Content-Length", str(len(files.get(name, b""))))
            self.end_headers()
            self.wfile.write(files.get(name, b""))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Repository) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings = tmp_path / "jgo.conf"
        settings.write_text(f"[repositories]\nmirror = http://127.0.0.1:{server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield Mirror(files, asked)
        server.shutdown()
        thread.join()


def jar(artifact: str) -> PinnedJar:
    return next(jar for jar in pinned_jars() if jar.artifact == artifact)


def test_every_jar_of_one_kafka_is_pinned() -> None:
    kafka = {jar.version for jar in pinned_jars() if jar.group == "org.apache.kafka"}
    assert kafka == {"4.3.0"}
    assert len({jar.file_name for jar in pinned_jars()}) == len(pinned_jars())


def test_after_an_interrupted_download_only_the_rest_is_downloaded(folder: Path, mirror: Mirror) -> None:
    missing, cut_off = jar("argparse4j"), jar("re2j")
    mirror.files.update({each.file_name: (folder / each.file_name).read_bytes() for each in (missing, cut_off)})
    half = (folder / cut_off.file_name).read_bytes()[:1000]
    (folder / missing.file_name).unlink()
    (folder / cut_off.file_name).unlink()
    (folder / cut_off.file_name).write_bytes(half)
    seen: list[tuple[int, int]] = []
    ensure_jars(folder, lambda progress: seen.append((progress.completed, progress.wanted)))
    assert missing_jars(folder) == []
    assert {name for name in mirror.asked if name.endswith(".jar")} == {missing.file_name, cut_off.file_name}
    assert seen[-1] == (2, 2)


def test_a_jar_with_other_bytes_is_refused(folder: Path, mirror: Mirror) -> None:
    wanted = jar("argparse4j")
    mirror.files[wanted.file_name] = b"something else"
    (folder / wanted.file_name).unlink()
    with pytest.raises(JarsMissingError, match=r"argparse4j-0\.7\.0\.jar was downloaded, but its SHA-256"):
        ensure_jars(folder)
    assert missing_jars(folder) == [wanted]
    assert not list(folder.glob(".incoming-*"))


def test_without_a_network_the_error_says_what_is_missing_and_what_helps(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    (folder / jar("argparse4j").file_name).unlink()
    with pytest.raises(JarsMissingError) as caught:
        ensure_jars(folder)
    text = str(caught.value)
    assert "argparse4j-0.7.0.jar (net.sourceforge.argparse4j:argparse4j:0.7.0)" in text
    assert str(kafka_jars_folder()) in text
    assert "HANDOFF_KAFKA_BOOTSTRAP" in text


def test_nothing_is_fetched_when_all_is_here(folder: Path) -> None:
    heard: list[DownloadProgress] = []
    ensure_jars(folder, heard.append)
    assert heard == []
