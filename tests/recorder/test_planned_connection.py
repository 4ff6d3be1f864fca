"""Keys: each venue says itself which it needs; what is missing is named with its place."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pytest

from recorder.errors import StreamSettingsError
from recorder.planned_connection import plan_stream, plan_streams
from recorder.stream_settings import StreamSettings
from tests.recorder.tiny_venue import TRAITS, TinyVenue
from venues.channel import Channel
from venues.errors import CredentialsError
from venues.venue import ConnectionPlan, Credentials, HttpRequest, Login, Purpose

NAMES = ("TICKREEL_TINY_KEY", "TICKREEL_TINY_SECRET", "TICKREEL_TINY_PASSPHRASE")


@dataclass(frozen=True)
class _WantingVenue(TinyVenue):
    """Refuses keys that lack what it wants; asks for access first where it is said to."""

    wants: tuple[str, ...] = ()
    access: bool = False

    def access_request(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int
    ) -> HttpRequest | None:
        if not self.access:
            return None
        self._check(credentials)
        return HttpRequest("http://127.0.0.1:1/access", "", Purpose.ACCESS)

    def login(
        self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
    ) -> Login:
        self._check(credentials)
        return Login(plan.url, message="login")

    def _check(self, credentials: Credentials | None) -> None:
        if credentials is None or not all(getattr(credentials, part) for part in self.wants):
            raise CredentialsError(self.name, "Something is needed.")
        if "secret" in self.wants:
            base64.b64decode(credentials.secret, validate=True)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def _stream(credentials_file: Path | None = None) -> StreamSettings:
    return StreamSettings(
        venue="tiny",
        channels=(Channel.ORDER,),
        url="ws://127.0.0.1:1",
        credentials_file=None if credentials_file is None else str(credentials_file),
    )


@pytest.mark.parametrize("access", [False, True])
@pytest.mark.parametrize(
    ("wants", "given", "sentence"),
    [
        (("key",), "", r"Set the environment variable TICKREEL_TINY_KEY\."),
        (("key", "secret"), "k", r"Set the environment variable TICKREEL_TINY_SECRET\."),
        (
            ("key", "secret"),
            "",
            r"Set the environment variables TICKREEL_TINY_KEY and TICKREEL_TINY_SECRET\.",
        ),
        (
            ("key", "secret", "passphrase"),
            "ks",
            r"Something is needed\. Set the environment variable TICKREEL_TINY_PASSPHRASE\.",
        ),
    ],
)
def test_what_a_venue_needs_and_is_not_given_is_named(
    monkeypatch: pytest.MonkeyPatch,
    wants: tuple[str, ...],
    given: str,
    sentence: str,
    access: bool,
) -> None:
    for name, _ in zip(NAMES, given, strict=False):
        monkeypatch.setenv(name, "c2VjcmV0")
    venue = _WantingVenue(wants=wants, access=access)
    with pytest.raises(CredentialsError, match=sentence):
        plan_stream(_stream(), lambda name: venue)


@pytest.mark.parametrize("access", [False, True])
def test_a_venue_that_needs_one_key_is_planned_with_one(
    monkeypatch: pytest.MonkeyPatch, access: bool
) -> None:
    monkeypatch.setenv("TICKREEL_TINY_KEY", "0xa11ce")
    venue = _WantingVenue(wants=("key",), access=access)
    (planned,) = plan_stream(_stream(), lambda name: venue)
    assert planned.credentials is not None
    assert planned.credentials.key == "0xa11ce"
    assert planned.credentials.secret == ""


def test_the_line_that_a_file_of_keys_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text('key = "canary"\n')
    path.chmod(0o600)
    venue = _WantingVenue(wants=("key", "secret"))
    with pytest.raises(CredentialsError, match=r'keys\.toml needs secret = "…"\.') as refusal:
        plan_stream(_stream(path), lambda name: venue)
    assert "canary" not in str(refusal.value)


def test_keys_that_are_all_there_and_still_refused_are_refused_in_the_venues_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class _Never(TinyVenue):
        def login(
            self, plan: ConnectionPlan, credentials: Credentials | None, time_ms: int, access: bytes
        ) -> Login:
            raise CredentialsError(self.name, "The secret is no PEM key.")

    monkeypatch.setenv(NAMES[0], "k")
    with pytest.raises(CredentialsError, match=r"no PEM key\. Set .* TICKREEL_TINY_SECRET\.$"):
        plan_stream(_stream(), lambda name: _Never())
    monkeypatch.setenv(NAMES[1], "s")
    with pytest.raises(CredentialsError, match=r"The secret is no PEM key\.$"):
        plan_stream(_stream(), lambda name: _Never())


PUBLIC = StreamSettings(
    venue="tiny", symbols=("BTC",), channels=(Channel.BOOK,), url="ws://127.0.0.1:1"
)


def test_where_a_login_is_a_choice_keys_at_hand_are_used_and_none_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    venue = _WantingVenue(replace(TRAITS, login_optional=True), wants=("key",))
    (without,) = plan_stream(PUBLIC, lambda name: venue)
    monkeypatch.setenv("TICKREEL_TINY_KEY", "some-token")
    (with_keys,) = plan_stream(PUBLIC, lambda name: venue)
    (elsewhere,) = plan_stream(PUBLIC, lambda name: TinyVenue())
    assert without.credentials is elsewhere.credentials is None
    assert with_keys.credentials == Credentials("some-token", "")


def test_public_channels_need_no_keys() -> None:
    stream = StreamSettings(venue="tiny", symbols=("BTC",), channels=(Channel.BOOK,), url="ws://h")
    (planned,) = plan_stream(stream, lambda name: TinyVenue())
    assert planned.credentials is None


def test_what_two_streams_ask_for_is_refused_as_it_would_count_twice() -> None:
    other = StreamSettings(
        venue="tiny", symbols=("ETH", "BTC"), channels=(Channel.BOOK,), url="ws://127.0.0.1:2"
    )
    with pytest.raises(StreamSettingsError, match="book of BTC is asked for by two streams"):
        plan_streams([PUBLIC, other], lambda name: TinyVenue())


def test_streams_of_two_accounts_are_not_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES[:2]:
        monkeypatch.setenv(name, "c2VjcmV0")
    planned = plan_streams([_stream(), _stream()], lambda name: TinyVenue())
    assert len(planned) == 2


@pytest.mark.parametrize("limit_s", [0.0, -5.0, float("nan"), float("inf")])
def test_a_silence_limit_that_is_none_is_refused(limit_s: float) -> None:
    stream = msgspec.structs.replace(PUBLIC, silence_limit_s=limit_s)
    with pytest.raises(StreamSettingsError, match="silence_limit_s has to be above 0"):
        plan_stream(stream, lambda name: TinyVenue())
