"""What a source is found to have, and what is not refused because nobody looked far enough."""

from __future__ import annotations

from replay.feed import TopicStanding
from replay.source_survey import survey
from tests.replay.exchange_client import (
    VENUE,
    Piece,
    market_messages,
    opened,
    recording,
    simple_recording,
    subscribe,
    text,
)
from venues.frame import FrameKind

ORDER = (
    b'{"topic":"order","data":[{"orderId":"1","symbol":"BTCUSDT","side":"Buy","price":"1",'
    b'"qty":"1","cumExecQty":"0","orderStatus":"New"}]}'
)


def test_topics_are_those_met_those_asked_for_and_those_offered_for_a_symbol_met() -> None:
    book = next(each for each in market_messages() if each.topic == "orderbook.50.BTCUSDT")
    asked = Piece(FrameKind.SENT, subscribe(["orderbook.200.XRPUSDT"]).encode())
    found = survey(recording([opened(), asked, text(book.payload)]))
    assert found.complete
    for topic in (
        "orderbook.50.BTCUSDT",
        "publicTrade.BTCUSDT",
        "allLiquidation.BTCUSDT",
        "orderbook.200.XRPUSDT",
    ):
        assert found.standing(VENUE, topic) is TopicStanding.PUBLIC
    for topic in ("publicTrade.XRPUSDT", "orderbook.200.BTCUSDT", "nonsense", ""):
        assert found.standing(VENUE, topic) is TopicStanding.UNKNOWN


def test_a_topic_is_private_by_what_its_messages_say_or_because_the_venue_says_so() -> None:
    met = survey(recording([opened(), text(ORDER)]))
    assert met.standing(VENUE, "order") is TopicStanding.PRIVATE
    offered = survey(simple_recording())
    assert offered.standing(VENUE, "wallet") is TopicStanding.PRIVATE


def test_what_was_not_met_in_a_part_of_a_source_may_still_come() -> None:
    found = survey(simple_recording(), frames_max=10)
    assert not found.complete
    assert found.standing(VENUE, "publicTrade.LATEUSDT") is TopicStanding.PUBLIC


def test_paths_and_the_first_time_are_those_of_the_recording() -> None:
    source = recording([opened("/realtime"), opened("/realtime"), opened("/other?x=1")])
    found = survey(source)
    assert found.venues[VENUE].paths == ["/realtime", "/other?x=1"]
    assert found.first_time_ns == next(source.frames()).receive_time_ns


def test_a_venue_s_symbols_that_cannot_be_planned_are_no_obstacle() -> None:
    odd = b'{"topic":"publicTrade.a b","data":[{"T":1,"p":"1","v":"1","S":"Buy","i":"1"}]}'
    found = survey(recording([opened(), text(odd)]))
    assert found.standing(VENUE, "publicTrade.a b") is TopicStanding.PUBLIC


def test_a_path_that_the_exchange_has_left_or_none_gives_the_one_that_it_has_now() -> None:
    trade = (
        b'{"topic":"publicTrade.BTCUSD","type":"snapshot","ts":1,"data":[{"T":1,"s":"BTCUSD",'
        b'"S":"Buy","v":"1","p":"1","i":"1","BT":false}]}'
    )
    for head in ([opened("/realtime")], [], [opened("/v5/public/inverse")]):
        pieces = [piece._replace(venue="bybit-inverse") for piece in (*head, text(trade))]
        found = survey(recording(pieces))
        assert found.venues["bybit-inverse"].addresses == ["/v5/public/inverse"]
