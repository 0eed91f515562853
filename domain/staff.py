"""The people who review: who they are, what each role may do, and which tenants each may see."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.actor import Actor, ActorKind
from domain.base import Frozen
from domain.errors import Invalid, NotFound, NotPermitted
from domain.vocabulary import Route


class Role(StrEnum):
    """What somebody is employed to do."""

    MODERATOR = "moderator"
    SENIOR = "senior"
    LEGAL = "legal"
    POLICY_LEAD = "policy_lead"
    ADMIN = "admin"


class Right(StrEnum):
    """What a page or an act of the console asks for."""

    READ_CASES = "read_cases"
    REVIEW = "review"
    DECIDE_APPEALS = "decide_appeals"
    SEE_NUMBERS = "see_numbers"
    LEAD_QUALITY = "lead_quality"
    MANAGE_STAFF = "manage_staff"


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.MODERATOR: frozenset({Right.READ_CASES, Right.REVIEW, Right.DECIDE_APPEALS}),
    Role.SENIOR: frozenset({Right.READ_CASES, Right.REVIEW, Right.DECIDE_APPEALS, Right.SEE_NUMBERS}),
    Role.LEGAL: frozenset({Right.READ_CASES, Right.REVIEW, Right.DECIDE_APPEALS}),
    Role.POLICY_LEAD: frozenset({Right.READ_CASES, Right.SEE_NUMBERS, Right.LEAD_QUALITY}),
    Role.ADMIN: frozenset({Right.READ_CASES, Right.SEE_NUMBERS, Right.MANAGE_STAFF}),
}
"""Least privilege: who manages accounts or measures reviewers does not decide cases."""

ROUTES: dict[Role, frozenset[Route]] = {
    Role.MODERATOR: frozenset({Route.MODERATOR, Route.CARE}),
    Role.SENIOR: frozenset({Route.MODERATOR, Route.SENIOR, Route.CARE}),
    Role.LEGAL: frozenset({Route.LEGAL}),
    Role.POLICY_LEAD: frozenset(),
    Role.ADMIN: frozenset(),
}
"""The routes whose items a role may take. Possible minors and illegal content are for legal alone."""


MIN_PASSWORD = 12
MAX_PASSWORD = 1_024
"""A phrase may be long; without any bound, hashing would be a way to keep the service busy."""


def require_good_password(password: str, *, email: str) -> None:
    """Raise Invalid for a password that is too short, too long, all one character, or the mail address."""
    if len(password) < MIN_PASSWORD:
        raise Invalid(f"a password needs at least {MIN_PASSWORD} characters; a phrase of four words is a good one")
    if len(password) > MAX_PASSWORD:
        raise Invalid(f"a password has at most {MAX_PASSWORD:,} characters")
    if password.strip().casefold() == email.casefold():
        raise Invalid("a password must not be the mail address")
    if len(set(password)) == 1:
        raise Invalid("a password must not be one character over and over")


class Theme(StrEnum):
    """Colours of the console; `auto` follows the person's system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Preferences(Frozen):
    """What a person chose for their own screen. Sensitive text is blurred unless they say otherwise.

    `shortcuts` lets single letters act; who speaks to their computer switches them off (WCAG 2.1.4).
    """

    blur_text: bool = True
    grey_images: bool = True
    theme: Theme = Theme.AUTO
    pause_after_minutes: int = Field(default=50, ge=10, le=240)
    shortcuts: bool = True


class StaffSession(Frozen):
    """One signed-in browser. `id` names it to its owner and opens nothing; `csrf` is what its forms must show."""

    id: str
    staff_id: str
    csrf: str
    client: str
    created_at: AwareDatetime
    seen_at: AwareDatetime
    expires_at: AwareDatetime


class Staff(Frozen):
    """One account. `app_ids` are the tenants given to it; it sees nothing of any other."""

    id: str
    email: str
    name: str
    role: Role
    app_ids: frozenset[str] = frozenset()
    preferences: Preferences = Preferences()
    created_at: AwareDatetime
    disabled_at: AwareDatetime | None = None
    last_login_at: AwareDatetime | None = None

    @property
    def routes(self) -> frozenset[Route]:
        """Whose items this person may take."""
        return ROUTES[self.role]

    def may(self, right: Right) -> bool:
        """Whether the role holds a right; nobody disabled holds any."""
        return self.disabled_at is None and right in RIGHTS[self.role]

    def require(self, right: Right) -> None:
        """Raise NotPermitted unless the role holds the right."""
        if not self.may(right):
            raise NotPermitted(f"your role, {self.role}, does not include this ({right})")

    def may_see(self, route: Route | None) -> bool:
        """Whether cases of this route may be shown: what went to legal is for legal alone."""
        return route is not Route.LEGAL or Route.LEGAL in self.routes

    def require_app(self, app_id: str) -> None:
        """Raise NotFound for a tenant that was not given to this person: foreign and absent answer alike (I10)."""
        if app_id not in self.app_ids:
            raise NotFound("there is no such thing among the apps given to you")

    def acting_for(self, app_id: str) -> Actor:
        """The actor under whom this person's acts are recorded. Raises NotFound for a tenant not given to them."""
        self.require_app(app_id)
        return Actor(kind=ActorKind.PERSON, id=self.id, app_id=app_id)
