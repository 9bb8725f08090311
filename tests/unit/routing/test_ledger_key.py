"""The key that signs the ledger: made once, kept to its owner, and never guessed."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.routing.settings import RoutingSettings
from services.routing.use_cases.ledger import make_signer
from shared.kit.vault.key_files import KeyFileError

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def settings(**said: Any) -> RoutingSettings:
    """Settings with nothing in them but what counts here."""
    return RoutingSettings(database_url="postgresql://db", kafka_bootstrap="kafka:9092", staff_key="staff", **said)


def test_the_key_is_made_at_the_first_start_for_its_owner_only_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "run" / "ledger.key"
    first = make_signer(settings(ledger_key_file=file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(make_signer(settings(ledger_key_file=file)).verifier) == str(first.verifier)


def test_a_key_that_is_given_counts_and_the_city_names_the_ledger() -> None:
    assert str(make_signer(settings(ledger_key=KEY)).verifier).startswith("sample-city/ledger+")
    assert make_signer(settings(ledger_key=KEY, ledger_name="city.example/log")).verifier.name == "city.example/log"


@pytest.mark.parametrize(("key", "why"), [(None, "HANDOFF_LEDGER_KEY_FILE"), ("?", "not base64"), ("AAAA", "32 bytes")])
def test_without_a_key_nothing_starts(key: str | None, why: str) -> None:
    with pytest.raises(KeyFileError, match=why):
        make_signer(settings(ledger_key=key))


def test_a_name_that_a_checkpoint_cannot_contain_is_refused() -> None:
    with pytest.raises(ValidationError):
        settings(ledger_key=KEY, ledger_name="two words")
