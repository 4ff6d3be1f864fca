"""Accounts that are named, not logged in to: whoever knows the name may listen.

The name is the `key` of the credentials, so that it is kept out of recordings all the same. A plan,
which is shown and recorded, has `ACCOUNT` in its place.
"""

from __future__ import annotations

from venues.errors import CredentialsError
from venues.venue import ConnectionPlan, Credentials, Login

ACCOUNT = "[account]"


def account_login(
    venue: str, plan: ConnectionPlan, credentials: Credentials | None, remedy: str
) -> Login:
    """Return a login whose token is the account's name; of a public plan, one without.

    Raises:
        CredentialsError: a private plan, and no name; `remedy` says what the key is there.
    """
    if not plan.private:
        return Login(plan.url)
    if credentials is None or not credentials.key:
        raise CredentialsError(venue, remedy)
    return Login(plan.url, token=credentials.key)


def account_messages(plan: ConnectionPlan, login: Login) -> tuple[str, ...]:
    """Return the plan's messages, with the account's name put in."""
    if not plan.private:
        return plan.subscribe_messages
    return tuple(message.replace(ACCOUNT, login.token) for message in plan.subscribe_messages)
