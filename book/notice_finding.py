"""Which notices of an exchange a reader of the data must know of."""

from __future__ import annotations

from book.finding import FindingKind
from venues.event import Notice, NoticeKind

_FINDINGS = {
    NoticeKind.REJECTED: FindingKind.REJECTED,
    NoticeKind.LOGIN_REFUSED: FindingKind.LOGIN_REFUSED,
    NoticeKind.WILL_DISCONNECT: FindingKind.WILL_DISCONNECT,
}


def notice_finding(notice: Notice) -> tuple[FindingKind, str] | None:
    """Return the finding that a notice is, and its text; None for most."""
    kind = _FINDINGS.get(notice.kind)
    if kind is None:
        return None
    return kind, f"the exchange says: {notice.text}" if notice.text else "the exchange says so"
