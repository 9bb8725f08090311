"""The keys of agencies: what is sealed to them opens with their private key alone, and a wrong file stops the start."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey, OKPKey

from services.routing.use_cases.agency_keys import (
    JweEncrypter,
    PartnerKeysError,
    PublicKeyError,
    load_partner_keys,
    read_public_key,
)
from shared.kit.http.auth import hash_key

OLD, NEW = OKPKey.generate_key("X25519"), ECKey.generate_key("P-256")
AGENCIES = ("homes", "clinic")


def public(key: OKPKey | ECKey, **more: str) -> dict[str, Any]:
    return {**key.as_dict(private=False), **more}


def write(tmp_path: Path, document: object) -> Path:
    path = tmp_path / "partners.json"
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize("key", [OLD, NEW], ids=["X25519", "P-256"])
def test_what_is_sealed_opens_with_the_private_key_and_names_the_public_one(key: OKPKey | ECKey) -> None:
    sealed = JweEncrypter({"homes": read_public_key(public(key))}).encrypt("homes", b"a secret")
    opened = jwe.decrypt_compact(sealed, key)
    assert opened.plaintext == b"a secret"
    assert opened.headers() | {"epk": ""} == {
        "alg": "ECDH-ES+A256KW",
        "enc": "A256GCM",
        "kid": key.thumbprint(),
        "epk": "",
    }


def test_no_two_blocks_of_the_same_words_are_alike() -> None:
    encrypter = JweEncrypter({"homes": read_public_key(public(NEW))})
    assert encrypter.encrypt("homes", b"a secret") != encrypter.encrypt("homes", b"a secret")


def test_nothing_can_be_sealed_to_an_agency_without_a_key() -> None:
    with pytest.raises(LookupError, match="agency clinic has no public key"):
        JweEncrypter({"homes": read_public_key(public(NEW))}).encrypt("clinic", b"a secret")


def test_of_two_keys_the_newest_seals_under_the_name_that_the_agency_gave_it(tmp_path: Path) -> None:
    path = write(tmp_path, {"homes": {"public_jwks": [public(NEW, kid="2027"), public(OLD, kid="2026")]}})
    partners = load_partner_keys(path, AGENCIES)
    opened = jwe.decrypt_compact(partners.encrypter.encrypt("homes", b"a secret"), NEW)
    assert opened.headers()["kid"] == "2027"
    assert partners.encrypter.agencies == {"homes"}


def test_each_key_of_an_agency_lets_it_in_and_no_other_key_does(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"homes": {"key_hashes": [hash_key("new"), hash_key("old")]}, "clinic": {"key_hashes": [hash_key("c")]}},
    )
    partners = load_partner_keys(path, AGENCIES)
    assert [partners.find_agency(shown) for shown in ("new", "old", "c", "x", "", hash_key("new"))] == [
        "homes",
        "homes",
        "clinic",
        None,
        None,
        None,
    ]


def test_without_a_file_no_agency_has_a_key() -> None:
    partners = load_partner_keys(None, AGENCIES)
    assert (partners.encrypter.agencies, partners.find_agency("")) == (frozenset(), None)


WRONG: dict[str, tuple[object, str]] = {
    "nobody": ({"choir": {}}, "choir: unknown agency"),
    "private": ({"homes": {"public_jwks": [NEW.as_dict(private=True)]}}, "homes.public_jwks.0: a private key"),
    "curve": ({"homes": {"public_jwks": [public(ECKey.generate_key("P-384"))]}}, "not a key on P-256 or X25519"),
    "off the curve": ({"homes": {"public_jwks": [public(NEW, x="AAAA")]}}, "homes.public_jwks.0: not a JWK"),
    "old key": ({"homes": {"public_jwks": [public(NEW), {"crv": "P-256"}]}}, "homes.public_jwks.1: not a JWK"),
    "three": ({"homes": {"public_jwks": [public(NEW)] * 3}}, "homes.public_jwks"),
    "no hash": ({"homes": {"key_hashes": ["hp_a-key-in-the-clear"]}}, "homes.key_hashes.0"),
    "shared": (
        {"homes": {"key_hashes": ["a" * 64]}, "clinic": {"key_hashes": ["a" * 64]}},
        "clinic: has the same API key as homes",
    ),
    "unknown word": ({"homes": {"key": "x"}}, "homes.key"),
    "list": ([], "cannot be used"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_file_is_refused_with_the_place_and_without_a_key(name: str, tmp_path: Path) -> None:
    document, said = WRONG[name]
    with pytest.raises(PartnerKeysError) as raised:
        load_partner_keys(write(tmp_path, document), AGENCIES)
    assert said in str(raised.value)
    assert "partners.json" in str(raised.value)
    assert "hp_" not in str(raised.value)
    assert str(NEW.as_dict(private=True)["d"]) not in str(raised.value)


def test_a_file_that_is_not_there_or_not_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(PartnerKeysError, match=r"partners\.json cannot be read"):
        load_partner_keys(tmp_path / "partners.json", AGENCIES)
    (tmp_path / "partners.json").write_text("homes = 1")
    with pytest.raises(PartnerKeysError, match="is not JSON"):
        load_partner_keys(tmp_path / "partners.json", AGENCIES)


def test_a_key_that_is_no_key_at_all_is_refused() -> None:
    with pytest.raises(PublicKeyError):
        read_public_key({})
