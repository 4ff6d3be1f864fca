"""recording.json: no flipped bit in it is silent, and old ones are read."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import pytest

from recorder.description import new_description, read_description, write_description
from recorder.recording_errors import DamagedDescriptionError, NotARecordingError
from recorder.recording_folder import RecordingFolder
from venues.errors import TickreelError

ASKED_FOR = {"streams": [{"venue": "bybit-linear", "symbols": ["BTCUSDT"], "depth": None}]}


@pytest.fixture
def folder(tmp_path: Path) -> RecordingFolder:
    place = RecordingFolder(tmp_path)
    write_description(place, new_description(ASKED_FOR, "system"))
    return place


def test_it_is_plain_json_that_says_what_it_was_given(folder: RecordingFolder) -> None:
    read = read_description(folder)
    assert read.asked_for == ASKED_FOR
    plain = msgspec.json.decode(folder.description.read_bytes())
    assert list(plain)[-1] == "description_sha256"
    assert plain["recording_id"] == read.recording_id


def test_no_flipped_bit_is_silent(folder: RecordingFolder) -> None:
    whole = folder.description.read_bytes()
    bits = random.Random(1).sample(range(len(whole) * 8), 1_000)
    for bit in bits:
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        folder.description.write_bytes(altered)
        with pytest.raises(TickreelError):
            read_description(folder)


def test_every_cut_is_found(folder: RecordingFolder) -> None:
    whole = folder.description.read_bytes()
    for cut in range(len(whole)):
        folder.description.write_bytes(whole[:cut])
        with pytest.raises((DamagedDescriptionError, NotARecordingError)):
            read_description(folder)


def test_one_of_before_there_was_a_hash_is_read_and_a_later_member_is_ignored(
    folder: RecordingFolder,
) -> None:
    plain = msgspec.json.decode(folder.description.read_bytes())
    del plain["description_sha256"]
    folder.description.write_bytes(msgspec.json.encode(plain))
    assert read_description(folder).asked_for == ASKED_FOR
    folder.description.write_bytes(msgspec.json.encode({**plain, "descriptiom_sha256": ""}))
    with pytest.raises(DamagedDescriptionError, match="its own hash does not fit"):
        read_description(folder)
