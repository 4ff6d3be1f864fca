"""Every venue's logins: nothing secret is left, and market data and updates are left alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from recorder.redaction import Redaction
from tests.venues.samples import SAMPLES, SYMBOLS
from venues.errors import UNDECODABLE, CredentialsError
from venues.event import NoticeKind
from venues.registry import venue_named, venue_names
from venues.venue import ConnectionPlan, Credentials, Login, StreamRequest, Venue

KEYS = Credentials("canary-key-123456", base64.b64encode(bytes(range(48))).decode(), "canary-pass")
TIME_MS = 1_700_000_000_000


def _private_plans(venue: Venue) -> list[ConnectionPlan]:
    channels = tuple(sorted(channel for channel in venue.traits.channels if channel.private))
    if not channels:
        return []
    return venue.plan(StreamRequest(venue.name, (SYMBOLS[venue.name],), channels))


def _access(venue: Venue, plan: ConnectionPlan, redaction: Redaction) -> bytes:
    request = venue.access_request(plan, KEYS, TIME_MS)
    if request is None:
        return b""
    redaction.learn_request(request)
    parts = urlsplit(request.url)
    body = venue.dialect.access_body(f"{parts.path}?{parts.query}", plan.url, {})
    if body is None:
        body = venue.dialect.access_body(parts.path, plan.url, {})
    assert body is not None
    redaction.learn_answer(body)
    return body


def _logins(venue: Venue) -> Iterator[tuple[ConnectionPlan, Login, Redaction]]:
    """Give each private plan's login, as the recorder makes it, and what was learnt of it."""
    for plan in _private_plans(venue):
        known = (plan.url, plan.rest_url, *plan.subscribe_messages)
        redaction = Redaction(KEYS, known)
        try:
            login = venue.login(plan, KEYS, TIME_MS, _access(venue, plan, redaction))
        except CredentialsError:
            continue  # keys of another kind (a PEM)
        redaction.learn_login(login)
        for message in venue.subscribe_messages(plan, login, "", TIME_MS):
            if message not in plan.subscribe_messages:
                redaction.learn(message)
        yield plan, login, redaction


def test_most_venues_have_logins_that_these_tests_can_make() -> None:
    assert sum(any(_logins(venue_named(name))) for name in venue_names()) > 15


@pytest.mark.parametrize("name", venue_names())
def test_what_says_nothing_of_the_login_is_recorded_as_it_came(name: str) -> None:
    venue = venue_named(name)
    for _, _, redaction in _logins(venue):
        for payload in SAMPLES[name]:
            assert redaction.payload(payload) == payload


@pytest.mark.parametrize("name", venue_names())
def test_an_echo_of_any_login_holds_no_secret(name: str) -> None:
    venue = venue_named(name)
    for plan, login, redaction in _logins(venue):
        subscribing = venue.subscribe_messages(plan, login, "", TIME_MS)
        words = [login.url, login.message or "", login.token, *subscribing]
        words += [value for _, value in login.headers]
        echo = redaction.payload("\n".join(words).encode()).decode()
        for secret in (KEYS.key, KEYS.secret, KEYS.passphrase):
            assert secret not in echo
        for one in (login.message, login.token, *(value for _, value in login.headers)):
            long_words = [word for word in (one or "").split('"') if len(word) >= 32]
            for word in long_words:
                assert word not in echo


@pytest.mark.parametrize("name", venue_names())
def test_the_answer_to_a_login_is_still_one_without_its_tokens(name: str) -> None:
    venue = venue_named(name)
    for payload in SAMPLES[name]:
        notice = venue.read_notice(payload)
        if notice is None or notice.kind is not NoticeKind.LOGGED_IN:
            continue
        redaction = Redaction()
        redaction.learn_answer(payload)
        kept = venue.read_notice(redaction.payload(payload))
        assert kept is not None
        assert kept.kind is NoticeKind.LOGGED_IN


def test_an_answer_that_cannot_be_read_ends_no_recorder() -> None:
    """`login` may raise what says that the answer is none, and nothing else."""
    for name in venue_names():
        venue = venue_named(name)
        for plan in _private_plans(venue):
            if venue.access_request(plan, KEYS, TIME_MS) is None:
                continue
            for access in (b"", b"{}", b"[1]", b'{"code":"1"}', b"\xff", b'{"result":null}'):
                with pytest.raises(UNDECODABLE):
                    venue.login(plan, KEYS, TIME_MS, access)
