"""The links by which users reach a decision about them without an account: signed, for one case of one app, expiring.

Who holds a link may read its statement and appeal once; it opens nothing else.
"""

from datetime import timedelta

from itsdangerous import BadData, TimestampSigner

from domain.base import Frozen
from domain.errors import NotFound

PURPOSE = "cupidsshield decision link"
"""Signs these links and nothing else: what the same secret signs for another purpose is no link."""

BETWEEN = "~"
"""Needs no escape in an address, so that messengers recognise the whole of it as a link."""

CLOSED = "this link does not open, or no longer does"


class Leads(Frozen):
    """Where a link leads."""

    app_id: str
    case_id: str


class DecisionLinks:
    """Makes and opens links. Without a secret of one's own nobody can."""

    def __init__(self, secret: str, public_url: str, lifetime: timedelta) -> None:
        self._signer = TimestampSigner(secret, salt=PURPOSE)
        self._public_url = public_url.rstrip("/")
        self._lifetime = lifetime

    def token(self, app_id: str, case_id: str) -> str:
        """The signed part of a link."""
        return self._signer.sign(f"{app_id}{BETWEEN}{case_id}").decode()

    def to(self, app_id: str, case_id: str) -> str:
        """The whole address."""
        return f"{self._public_url}/decisions/{self.token(app_id, case_id)}"

    def opened(self, token: str) -> Leads:
        """Where a token leads. Raises NotFound, alike for one that is forged, spoilt, expired or of another purpose."""
        try:
            signed = self._signer.unsign(token, max_age=int(self._lifetime.total_seconds())).decode()
        except (BadData, ValueError) as error:
            raise NotFound(CLOSED) from error
        app_id, _, case_id = signed.rpartition(BETWEEN)
        return Leads(app_id=app_id, case_id=case_id)
