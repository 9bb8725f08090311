"""The settings that only notifications needs."""

from dataclasses import dataclass
from typing import Self

from pydantic import Field, SecretStr, model_validator

from shared.kit.service.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class Account:
    """Where mails are handed in; with `starttls` nothing is said in the clear."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    starttls: bool = False
    timeout_seconds: float = 20.0


class NotificationsSettings(ServiceSettings):
    """Where mails are handed in, in whose name, and how patiently."""

    smtp_host: str = Field(default="127.0.0.1", description="host of the mail server")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="port of the mail server")
    smtp_user: str | None = Field(default=None, description="user name, where the mail server asks for one")
    smtp_password: SecretStr | None = Field(default=None, description="password of that user")
    smtp_starttls: bool = Field(default=False, description="insist on encryption (STARTTLS)")
    smtp_timeout_seconds: float = Field(default=30.0, gt=0, description="how long to wait for each answer")
    smtp_retry_seconds: float = Field(default=30.0, gt=0, description="first wait after a mail was postponed")
    smtp_connections: int = Field(default=4, ge=1, le=64, description="mails handed in at the same time")
    sending_lease_seconds: float = Field(default=120.0, gt=0, description="when a mail in hand counts as uncertain")
    mail_from: str | None = Field(default=None, description="From line of mails; without it the city's contact address")

    @model_validator(mode="after")
    def _never_in_the_clear(self) -> Self:
        if self.smtp_user and not self.smtp_starttls:
            raise ValueError("with HANDOFF_SMTP_USER set HANDOFF_SMTP_STARTTLS=true: no password goes in the clear")
        return self

    @property
    def account(self) -> Account:
        """Where mails are handed in."""
        return Account(
            host=self.smtp_host,
            port=self.smtp_port,
            user=self.smtp_user or None,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
            starttls=self.smtp_starttls,
            timeout_seconds=self.smtp_timeout_seconds,
        )
