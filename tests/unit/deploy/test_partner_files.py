"""The keys of the sample agencies, and the file that routing reads."""

import json
import stat
from pathlib import Path

from deploy.partner_keys import prepare_partners, write_partner_files
from services.routing.use_cases.agency_keys import load_partner_keys


def write_files(tmp_path: Path, api: str = "http://routing", *agencies: str) -> tuple[Path, Path]:
    folder, registry = tmp_path / "accounts", tmp_path / "run" / "partners.json"
    write_partner_files(folder, registry, agencies or ("hpd", "dob"), api)
    return folder, registry


def test_each_agency_gets_keys_of_its_own_and_routing_learns_only_what_is_public(tmp_path: Path) -> None:
    folder, registry = write_files(tmp_path)
    own = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    partners = load_partner_keys(registry, own)
    assert partners.encrypter.agencies == own.keys() == {"hpd", "dob"}
    assert [partners.find_agency(own[agency]["api_key"]) for agency in own] == [*own]
    assert not [secret for each in own.values() for secret in (each["api_key"], each["private_jwks"][0]["d"])
                if secret in registry.read_text()]  # fmt: skip


def test_only_the_owner_reads_them(tmp_path: Path) -> None:
    folder, registry = write_files(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*folder.glob("*"), registry)} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_keys_stay_and_the_address_follows(tmp_path: Path) -> None:
    folder, registry = write_files(tmp_path)
    before, known = json.loads((folder / "hpd.json").read_text()), registry.read_text()
    write_files(tmp_path, "http://elsewhere")
    assert json.loads((folder / "hpd.json").read_text()) == {**before, "api": "http://elsewhere"}
    assert registry.read_text() == known


def test_keys_that_an_agency_has_submitted_stay(tmp_path: Path) -> None:
    folder, registry = write_files(tmp_path)
    known = json.loads(registry.read_text())
    known["hpd"]["key_hashes"] = ["a" * 64]
    registry.write_text(json.dumps(known))
    write_files(tmp_path, "http://routing", "hpd", "dob", "nypd")
    assert json.loads(registry.read_text()).keys() == {"hpd", "dob", "nypd"}
    assert json.loads(registry.read_text())["hpd"] == known["hpd"]
    assert (folder / "nypd.json").exists()


def test_without_a_path_no_file_is_written(tmp_path: Path) -> None:
    prepare_partners({"HANDOFF_AGENCY_ACCOUNTS": str(tmp_path)})
    assert [*tmp_path.iterdir()] == []
