"""How much of what somebody looked at on one day: counted so that a pause can be suggested in time."""

from pydantic import Field

from domain.base import Frozen
from domain.vocabulary import Severity


class Seen(Frozen):
    """Items of one severity, and the seconds spent on them."""

    items: int = Field(default=0, ge=0)
    seconds: float = Field(default=0.0, ge=0)


class Load(Frozen):
    """One person's day (ISO date, UTC). What has no severity counts as low."""

    staff_id: str
    day: str
    by_severity: dict[Severity, Seen] = Field(default_factory=dict)

    @property
    def items(self) -> int:
        return sum(seen.items for seen in self.by_severity.values())

    @property
    def seconds(self) -> float:
        return sum(seen.seconds for seen in self.by_severity.values())
