"""Which snapshot a client of a served recording is given, by where it is in it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from book.engine import Engine
from replay import rest_answers
from replay.checkpoint_index import write_index
from replay.frame_source import FrameList, FrameSource
from replay.market_scenario import CALM, SECOND_NS, Incident, IncidentKind, Scenario
from replay.recording import Recording
from replay.rest_answers import RestAnswers
from tests.book.feed_frames import simulated_frames
from tests.recorder.made_frames import record
from tests.replay.exchange_client import (
    Piece,
    http,
    market_messages,
    opened,
    recording,
    text,
)
from venues.event import BookSnapshot
from venues.frame import Frame, FrameKind
from venues.marker import HttpResponse, http_payload
from venues.registry import venue_named

BOOK = "orderbook.50.BTCUSDT"
FRAMES = 1_000
ASKED = "/v5/market/orderbook?symbol=BTCUSDT&limit=50"
EARLY = b'{"recorded":"early"}'
LATE = b'{"recorded":"late"}'


def answers(source: FrameSource) -> RestAnswers:
    return RestAnswers(source, venue_named("reference"))


def book_pieces(scenario: Scenario | None = None) -> list[Piece]:
    return [text(each.payload) for each in market_messages(scenario) if each.topic == BOOK]


def stated(body: bytes | None) -> BookSnapshot:
    assert body is not None
    head = HttpResponse("GET", ASKED, 200, "book snapshot", "BTCUSDT")
    frame = Frame(0, 1, "reference", FrameKind.HTTP, 0, 0, http_payload(head, body))
    event = venue_named("reference").decode(frame)[0]
    assert isinstance(event, BookSnapshot)
    return event


def sequence_of(piece: Piece) -> int:
    number: int = msgspec.json.decode(piece.payload)["data"]["seq"]
    return number


def test_a_recorded_answer_just_ahead_is_given_once_and_then_the_book_as_it_is() -> None:
    book = book_pieces()
    source = recording([opened(), *book[:5], http(f"http://x{ASKED}", EARLY), *book[5:]])
    asked = answers(source)
    assert asked.body(ASKED, 2) == EARLY
    assert stated(asked.body(ASKED, 2)).sequence == sequence_of(book[1])
    assert stated(asked.body(ASKED, 5)).sequence == sequence_of(book[4])


def test_each_recorded_answer_is_given_near_where_it_was_recorded() -> None:
    book = book_pieces()
    pieces = [opened(), *book[:4], http(f"http://x{ASKED}", EARLY), *book[4:8]]
    pieces += [http(f"http://x{ASKED}", LATE), *book[8:]]
    asked = answers(recording(pieces, 6 * SECOND_NS))
    assert asked.body(ASKED, 4) == EARLY
    assert stated(asked.body(ASKED, 5)).sequence == sequence_of(book[3])
    assert asked.body(ASKED, 9) == LATE


def test_the_nearest_answer_goes_first_where_two_are_near() -> None:
    book = book_pieces()
    pieces = [opened(), *book[:4], http(f"http://x{ASKED}", EARLY), *book[4:20]]
    pieces += [http(f"http://x{ASKED}", LATE), *book[20:]]
    asked = answers(recording(pieces))
    assert asked.body(ASKED, 21) == LATE
    assert asked.body(ASKED, 21) == EARLY


def test_an_answer_is_found_whatever_its_query_looked_like_and_without_its_address() -> None:
    book = book_pieces()
    for url in (f"http://x{ASKED}", "", "http://x/v5/market/orderbook?limit=25&symbol=btcusdt"):
        source = recording([opened(), *book[:3], http(url, EARLY), *book[3:]])
        assert answers(source).body(ASKED, 1) == EARLY


@pytest.mark.parametrize(("status", "error"), [(429, ""), (None, "timed out")])
def test_an_answer_that_was_a_refusal_is_not_given(status: int | None, error: str) -> None:
    book = book_pieces()
    head = HttpResponse("GET", f"http://x{ASKED}", status, "book snapshot", "BTCUSDT", error)
    refused = Piece(FrameKind.HTTP, http_payload(head, b"slow down"))
    asked = answers(recording([opened(), *book[:3], refused, *book[3:]]))
    assert stated(asked.body(ASKED, 2)).sequence == sequence_of(book[1])


def test_a_book_in_doubt_is_not_served() -> None:
    gap = Scenario((Incident(SECOND_NS, IncidentKind.GAP, "BTCUSDT"),), 3 * SECOND_NS)
    book = book_pieces(gap)
    steps = [
        after - before
        for before, after in zip(book_sequences(book), book_sequences(book)[1:], strict=False)
    ]
    broken = steps.index(2) + 2
    asked = answers(recording([opened(), *book]))
    assert asked.body(ASKED, broken - 1) is not None
    assert asked.body(ASKED, broken) is None
    assert asked.body(ASKED, len(book)) is None


def book_sequences(book: list[Piece]) -> list[int]:
    return [sequence_of(piece) for piece in book]


def test_as_many_levels_are_given_as_were_asked_for() -> None:
    asked = answers(recording([opened(), *book_pieces()]))
    for limit, levels in (("3", 3), ("50", 50), ("999999999999", 50), ("x", 50), ("0", 50)):
        event = stated(asked.body(f"/v5/market/orderbook?symbol=BTCUSDT&limit={limit}", 9))
        assert len(event.bids) == len(event.asks) == levels


def test_a_symbol_that_is_not_recorded_has_no_book() -> None:
    asked = answers(recording([opened(), *book_pieces()]))
    assert asked.body("/v5/market/orderbook?symbol=ETHUSDT", 5) is None
    assert asked.body("/v5/market/orderbook?symbol=ETHUSDT", -1) is None
    assert answers(recording([])).body(ASKED, -1) is None


def test_far_into_a_recording_with_checkpoints_the_answer_is_the_same_and_comes_from_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = list(simulated_frames(FRAMES, seed=11, scenario=CALM))
    record(tmp_path / "calm", frames, rotate_every=FRAMES // 4)
    folder = Recording.open(tmp_path / "calm")
    write_index(folder, every=250)
    applied: list[int] = []
    apply = Engine.apply

    def counted(engine: Engine, frame: Frame) -> None:
        applied.append(frame.frame_number)
        apply(engine, frame)

    monkeypatch.setattr(rest_answers, "JUMP_FRAMES", 200)
    monkeypatch.setattr(Engine, "apply", counted)
    given = 0
    for position in range(260, FRAMES, FRAMES // 7):
        plain = answers(FrameList(frames)).body(ASKED, position)
        del applied[:]
        assert answers(folder).body(ASKED, position) == plain
        assert len(applied) < 250
        given += plain is not None
    assert given > 2
