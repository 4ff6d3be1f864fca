"""What the exchange answered to our login and subscriptions: pure bookkeeping.

Theory. After the handshake come, in order: the login and its answer (where the venue has a login
message; a private connection may do without, its keys being in the handshake or in what is sent to
subscribe), then the subscribe messages and their answers. Exchanges answer each message once or
once a topic, and some not at all; so a connection counts as taken when as many acknowledgements
came as messages were sent, and as refused only when nothing that was asked for was taken: at least
as many refusals as messages, no acknowledgement, no market data. What lies between is a partial
refusal, which is reported and goes on.
"""

from __future__ import annotations

from venues.event import Notice, NoticeKind


class Admission:
    """Follows one connection from handshake to market data.

    Attributes:
        logged_in: the login was accepted.
        login_answer: the text of the notice that said so; it may hold a token.
        login_refusal: what the exchange said when it refused the login; None if it did not.
        acknowledged: how many acknowledgements came.
        refusals: what the exchange said of each subscription that it refused.
        market_data: whether anything came that is no notice.
        leaving: what the exchange said when it announced the end; None if it did not.
    """

    def __init__(self, *, login: bool) -> None:
        self._expected: int | None = None
        self._login = login
        self.logged_in = False
        self.login_answer = ""
        self.login_refusal: str | None = None
        self.acknowledged = 0
        self.refusals: list[str] = []
        self.market_data = False
        self.leaving: str | None = None

    @property
    def settled(self) -> bool:
        """Whether every answer that was expected has come."""
        if self._expected is None or self.login_awaited:
            return False
        return self.acknowledged + len(self.refusals) >= self._expected

    @property
    def subscribed(self) -> bool:
        """Whether all that was asked for was taken."""
        return self.settled and not self.refusals

    @property
    def refused(self) -> bool:
        """Whether nothing that was asked for was taken."""
        return (
            self._expected is not None
            and self._expected > 0
            and len(self.refusals) >= self._expected
            and not self.acknowledged
            and not self.market_data
        )

    @property
    def login_awaited(self) -> bool:
        """Whether the next answer is that to the login."""
        return self._login and not self.logged_in

    def asked(self, messages: int) -> None:
        """Say that so many subscribe messages are being sent."""
        self._expected = messages

    def take(self, notice: Notice | None) -> None:
        """Take what a message says of the connection; None is market data."""
        if notice is None:
            self.market_data = True
        elif notice.kind is NoticeKind.ACKNOWLEDGED:
            self.acknowledged += 1
        elif notice.kind is NoticeKind.REJECTED:
            self.refusals.append(notice.text)
        elif notice.kind is NoticeKind.LOGGED_IN:
            self.logged_in = True
            self.login_answer = notice.text
        elif notice.kind is NoticeKind.LOGIN_REFUSED:
            self.login_refusal = notice.text
        elif notice.kind is NoticeKind.WILL_DISCONNECT:
            self.leaving = notice.text
