"""The settings of notifications."""

from dataclasses import dataclass
from typing import Self

from pydantic import Field, SecretStr, model_validator

from shared.kit.service.settings import ServiceSettings


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """The mail server, and how to log in."""

    host: str
    port: int
    user: str | None = None
    password: str | None = None
    starttls: bool = False
    """Encrypt the connection, or fail."""

    timeout_seconds: float = 20.0


class NotificationsSettings(ServiceSettings):
    """The mail server, the sender, and how often and how long sending is tried."""

    smtp_host: str = Field(default="127.0.0.1", description="host of the mail server")
    smtp_port: int = Field(default=25, ge=1, le=65535, description="port of the mail server")
    smtp_user: str | None = Field(default=None, description="user name, if the mail server requires a login")
    smtp_password: SecretStr | None = Field(default=None, description="password of that user")
    smtp_starttls: bool = Field(default=False, description="require encryption (STARTTLS)")
    smtp_timeout_seconds: float = Field(default=30.0, gt=0, description="timeout of each SMTP command")
    smtp_retry_seconds: float = Field(
        default=30.0, gt=0, description="wait after a mail was deferred for the first time"
    )
    smtp_connections: int = Field(
        default=4, ge=1, le=64, description="number of connections, each for one mail at a time"
    )
    sending_lease_seconds: float = Field(
        default=120.0, gt=0, description="time after which a mail that is still being sent counts as uncertain"
    )
    mail_from: str | None = Field(default=None, description="From line of mails; default: the city's contact address")

    @model_validator(mode="after")
    def _require_starttls_for_passwords(self) -> Self:
        if self.smtp_user and not self.smtp_starttls:
            raise ValueError(
                "HANDOFF_SMTP_USER needs HANDOFF_SMTP_STARTTLS=true: the password must not be sent unencrypted"
            )
        return self

    @property
    def smtp_account(self) -> SmtpAccount:
        """The mail server, and how to log in."""
        return SmtpAccount(
            host=self.smtp_host,
            port=self.smtp_port,
            user=self.smtp_user or None,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
            starttls=self.smtp_starttls,
            timeout_seconds=self.smtp_timeout_seconds,
        )
