"""Who acts: an app, an agent, a person, or the service itself."""

from enum import StrEnum

from domain.base import Frozen
from domain.errors import NotPermitted
from domain.vocabulary import Scope


class ActorKind(StrEnum):
    APP = "app"
    AGENT = "agent"
    PERSON = "person"
    SYSTEM = "system"


class Actor(Frozen):
    """The one on whose behalf something is done. `app_id` bounds everything it can see."""

    kind: ActorKind
    id: str
    app_id: str
    scopes: frozenset[Scope] = frozenset()

    @property
    def label(self) -> str:
        """How the audit log names the actor, e.g. `app:key_1a2b`."""
        return f"{self.kind}:{self.id}"

    def require(self, scope: Scope) -> None:
        """Raise NotPermitted unless the actor holds the scope (or is the service itself)."""
        if self.kind is not ActorKind.SYSTEM and scope not in self.scopes:
            raise NotPermitted(f"this needs the scope '{scope}'")


def system(app_id: str, name: str = "graph") -> Actor:
    """The service acting for an app, e.g. inside a graph or a worker."""
    return Actor(kind=ActorKind.SYSTEM, id=name, app_id=app_id)
