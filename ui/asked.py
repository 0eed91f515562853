"""Whose numbers somebody asked for, and how far back."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.statistics import Window
from policies.people import QualityRules


class Span(StrEnum):
    """How far a page looks back."""

    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    QUARTER = "90d"

    @property
    def length(self) -> timedelta:
        return {
            Span.DAY: timedelta(hours=24),
            Span.WEEK: timedelta(days=7),
            Span.MONTH: timedelta(days=30),
            Span.QUARTER: timedelta(days=90),
        }[self]

    @property
    def words(self) -> str:
        return {Span.DAY: "24 hours", Span.WEEK: "7 days", Span.MONTH: "30 days", Span.QUARTER: "90 days"}[self]

    def ending(self, at: datetime) -> Window:
        """The window that ends at a moment."""
        return Window(since=at - self.length, until=at)


@dataclass(frozen=True)
class Asked:
    """Whose numbers: the tenants that are counted, all those that the person may see, and the window."""

    app_ids: tuple[str, ...]
    known: tuple[str, ...]
    span: Span
    at: datetime
    quality: QualityRules

    @property
    def window(self) -> Window:
        return self.span.ending(self.at)

    @property
    def fewest(self) -> int:
        return self.quality.fewest_decisions
