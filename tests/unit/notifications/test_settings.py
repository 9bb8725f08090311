"""Settings that would reveal a password are refused at the start."""

import pytest
from pydantic import ValidationError

from services.notifications.settings import NotificationsSettings

NEEDED = {"database_url": "postgresql://somewhere", "kafka_bootstrap": "somewhere:9092", "staff_key": "key"}


def test_a_password_goes_to_the_mail_server_only_over_an_encrypted_connection() -> None:
    with pytest.raises(ValidationError, match="HANDOFF_SMTP_STARTTLS"):
        NotificationsSettings.model_validate(NEEDED | {"smtp_user": "ann", "smtp_password": "secret"})
    settings = NotificationsSettings.model_validate(
        NEEDED | {"smtp_user": "ann", "smtp_password": "secret", "smtp_starttls": True}
    )
    assert (settings.smtp_account.user, settings.smtp_account.password, settings.smtp_account.starttls) == (
        "ann",
        "secret",
        True,
    )


def test_a_user_that_is_empty_is_no_user() -> None:
    assert NotificationsSettings.model_validate(NEEDED | {"smtp_user": ""}).smtp_account.user is None
