"""The health check of the image asks the service in its container, and prints the answer."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from deploy.local.ports import any_free

SCRIPT = Path(__file__).parents[3] / "deploy" / "docker" / "ready.py"


def test_a_ready_service_is_healthy() -> None:
    with _answering(200, b'{"status": "ready"}') as port:
        asked = _ask(port)
    assert (asked.returncode, asked.stdout) == (0, '{"status": "ready"}\n')


def test_a_service_that_is_not_ready_is_unhealthy_and_its_reason_is_printed() -> None:
    with _answering(503, b'{"problems": ["database: PoolTimeout"]}') as port:
        asked = _ask(port)
    assert asked.returncode == 1
    assert "database: PoolTimeout" in asked.stdout


def test_a_service_that_does_not_answer_is_unhealthy() -> None:
    asked = _ask(any_free(1)[0])
    assert asked.returncode == 1
    assert "not answering" in asked.stderr


def _ask(port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [sys.executable, "-IS", str(SCRIPT)],
        env={"HANDOFF_HTTP_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def _answering(status: int, body: bytes) -> Iterator[int]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield server.server_port
        thread.join()
