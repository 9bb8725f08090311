"""Whatever was once published can be read for ever."""

import json
from hashlib import sha256

import pytest

from deploy.contract.catalogue import published
from shared.events.wire import MalformedMessageError, read_envelope, read_event
from tests.contract.golden_samples import FOLDER, Sample, golden_samples

SAMPLES = list(golden_samples())


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_golden_sample_is_still_read_as_what_it_was(sample: Sample) -> None:
    envelope = read_envelope(sample.headers)
    event = read_event(sample.spec, envelope, json.dumps(sample.value).encode())

    assert sample.name.split("/")[1] == envelope.type == event.type
    assert envelope.source == sample.spec.source_of(sample.topic)
    assert sample.key == envelope.subject == str(event.case_id)
    assert envelope.time == event.happened_at


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_golden_sample_says_the_same_when_it_is_written_again(sample: Sample) -> None:
    event = sample.spec.events.validate_python(sample.value)

    assert sample.spec.events.validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_a_field_that_a_later_version_added_is_ignored(sample: Sample) -> None:
    known = sample.spec.events.validate_python(sample.value)

    assert sample.spec.events.validate_python({**sample.value, "added_later": {"by": "v1.9"}}) == known


@pytest.mark.parametrize("header", ["ce_id", "ce_type", "ce_source", "ce_subject", "ce_time", "ce_dataclassification"])
def test_a_message_without_a_header_that_it_needs_is_refused_by_that_header_s_name(header: str) -> None:
    with pytest.raises(MalformedMessageError, match=header):
        read_envelope([pair for pair in SAMPLES[0].headers if pair[0] != header])


def test_an_unknown_label_is_refused() -> None:
    headers = [(name, value) for name, value in SAMPLES[0].headers if name != "ce_dataclassification"]

    with pytest.raises(MalformedMessageError, match="not a known label"):
        read_envelope([*headers, ("ce_dataclassification", b"top-secret")])


def test_every_published_event_has_a_golden_sample() -> None:
    assert {said.name for said in published()} <= {sample.name.rpartition("/")[0] for sample in SAMPLES}


def test_no_golden_sample_was_edited_or_removed() -> None:
    lines = (FOLDER / "digests.txt").read_text().splitlines()
    noted = {name: digest for digest, name in (line.split("  ") for line in lines)}
    there = {path.relative_to(FOLDER).as_posix(): path for path in FOLDER.rglob("*.json")}

    assert noted == {name: sha256(path.read_bytes()).hexdigest() for name, path in there.items()}
