"""The mailbox stores every mail, shows it as text, and has it after a restart."""

import smtplib
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest
import uvicorn

from deploy.local.mailbox import MailStore, create_app


def mail(subject: str, words: str, message_id: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "311@example.org", "ann@example.org", subject
    if message_id:
        message["Message-ID"] = message_id
    message.set_content(words)
    return message


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[httpx.Client]:
    server = uvicorn.Server(
        uvicorn.Config(create_app(MailStore(tmp_path), "127.0.0.1", 0), port=0, log_level="error", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        yield client
    server.should_exit = True
    thread.join(5)


def send(mailbox: httpx.Client, message: EmailMessage) -> None:
    port = mailbox.get("/health/ready").json()["smtp_port"]
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as smtp:
        smtp.send_message(message)


def test_a_received_mail_is_listed_and_can_be_read(mailbox: httpx.Client) -> None:
    send(mailbox, mail("Su caso: día 1", "Hola,\nsu caso sigue."))
    listed = mailbox.get("/messages.json").json()
    assert (listed["count"], listed["messages"][0]["subject"]) == (1, "Su caso: día 1")
    assert "su caso sigue." in mailbox.get(f"/messages/{listed['messages'][0]['id']}").text


def test_the_content_of_a_mail_is_never_html(mailbox: httpx.Client) -> None:
    send(mailbox, mail("<script>alert(1)</script>", "<img src=x onerror=alert(2)>"))
    identity = mailbox.get("/messages.json").json()["messages"][0]["id"]
    pages = mailbox.get("/").text + mailbox.get(f"/messages/{identity}").text
    assert "<script" not in pages
    assert "<img" not in pages


def test_a_mail_that_came_twice_counts_twice_and_once_as_distinct(mailbox: httpx.Client) -> None:
    for _ in range(2):
        send(mailbox, mail("Again", "The same", "<1@example.org>"))
    listed = mailbox.get("/messages.json?limit=0").json()
    assert listed == {"count": 2, "distinct": 1, "messages": []}


def test_a_mail_that_is_not_there_is_not_found(mailbox: httpx.Client) -> None:
    assert mailbox.get("/messages/..%2F..%2Fetc%2Fpasswd").status_code == 404


def test_mails_are_there_after_a_restart(tmp_path: Path) -> None:
    before = MailStore(tmp_path)
    stored = [before.add(bytes(mail(f"Mail {i}", "Words"))) for i in range(3)]
    (tmp_path / "unfinished.part").write_bytes(b"half a ma")
    assert MailStore(tmp_path).newest(10) == stored[::-1]
