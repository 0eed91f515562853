"""The people who review: who they are, what each role may do, and which tenants each may see."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.actor import Actor, ActorKind
from domain.base import Frozen
from domain.errors import NotFound, NotPermitted
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


class Theme(StrEnum):
    """Colours of the console; `auto` follows the person's system."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"


class Preferences(Frozen):
    """What a person chose for their own screen. Sensitive text is blurred unless they say otherwise."""

    blur_text: bool = True
    grey_images: bool = True
    theme: Theme = Theme.AUTO
    pause_after_minutes: int = Field(default=50, ge=10, le=240)


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

    def require_app(self, app_id: str) -> None:
        """Raise NotFound for a tenant that was not given to this person: foreign and absent answer alike (I10)."""
        if app_id not in self.app_ids:
            raise NotFound("there is no such thing among the apps given to you")

    def acting_for(self, app_id: str) -> Actor:
        """The actor under whom this person's acts are recorded. Raises NotFound for a tenant not given to them."""
        self.require_app(app_id)
        return Actor(kind=ActorKind.PERSON, id=self.id, app_id=app_id)
