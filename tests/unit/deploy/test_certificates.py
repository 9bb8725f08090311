"""The certificates of a trial's broker."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from deploy.kafka.certificates import create_certificates


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """The authority's certificate, and the broker's with its key."""
    trust, broker = tmp_path / "trust", tmp_path / "broker"
    trust.mkdir()
    broker.mkdir()
    assert create_certificates(trust, broker, ["kafka", "localhost", "127.0.0.1"])
    return trust / "ca.pem", broker / "broker.pem"


def shake_hands(authority: Path, broker: Path, name: str) -> str:
    """Connect a client that trusts this authority to a server with that file, under a name; return the TLS version."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(broker)
    client = ssl.create_default_context(cafile=authority)
    ours, theirs = socket.socketpair()

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as talking:
                talking.recv(1)
        except (ssl.SSLError, OSError):
            theirs.close()

    serving = threading.Thread(target=serve)
    serving.start()
    try:
        with ours, client.wrap_socket(ours, server_hostname=name) as talking:
            return talking.version() or ""
    finally:
        serving.join()


@pytest.mark.parametrize("name", ["kafka", "localhost", "127.0.0.1"])
def test_a_client_that_trusts_the_authority_trusts_the_broker_under_each_of_its_names(
    files: tuple[Path, Path], name: str
) -> None:
    assert shake_hands(*files, name).startswith("TLS")


def test_under_another_name_it_is_not_trusted(files: tuple[Path, Path]) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        shake_hands(*files, "elsewhere")


def test_a_client_with_another_authority_rejects_it(files: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    create_certificates(other, other, ["kafka"])
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(other / "ca.pem", files[1], "kafka")


def test_the_authoritys_key_is_not_stored(files: tuple[Path, Path]) -> None:
    kept = [file.read_text() for folder in {file.parent for file in files} for file in folder.iterdir()]
    assert len(kept) == 2
    assert sum(text.count("PRIVATE KEY-----\n") for text in kept) == 2, "one key, begun and ended: the broker's"


def test_existing_certificates_stay(files: tuple[Path, Path]) -> None:
    before = [file.read_bytes() for file in files]
    assert not create_certificates(files[0].parent, files[1].parent, ["kafka"])
    assert [file.read_bytes() for file in files] == before
