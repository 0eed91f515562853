"""What each app spends on language models in a day (UTC), counted in this process, and all that was ever spent.

Limits are handed in with each question. A call counts once it is over, so that calls under way at the same time may go
over a limit by what they cost.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from domain.opinion import Usage


@dataclass(frozen=True)
class Allowance:
    """What an app may spend in a day."""

    tokens: int
    cost: float


class Spending:
    """Counts by app and day; yesterday is forgotten."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._day: date | None = None
        self._today: dict[str, Usage] = {}
        self.total = Usage()

    def allows(self, app_id: str, allowance: Allowance) -> bool:
        """Whether the app has something left."""
        spent = self.today(app_id)
        return spent.tokens < allowance.tokens and (spent.cost < allowance.cost or spent.cost == 0 < allowance.cost)

    def today(self, app_id: str) -> Usage:
        """What the app has spent since midnight UTC."""
        self._turn_the_page()
        return self._today.get(app_id, Usage())

    def note(self, app_id: str, usage: Usage) -> None:
        """Count what was spent."""
        self._turn_the_page()
        self._today[app_id] = self._today.get(app_id, Usage()) + usage
        self.total += usage

    def _turn_the_page(self) -> None:
        today = self._clock().date()
        if today != self._day:
            self._day, self._today = today, {}
