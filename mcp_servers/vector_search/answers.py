"""What the vector-search tools answer."""

from domain.base import Frozen
from domain.memory import PolicyMatch, Precedent


class Precedents(Frozen):
    """Remembered cases, the most alike first. Only those a person confirmed should sway a decision."""

    precedents: tuple[Precedent, ...]


class PolicyMatches(Frozen):
    """Passages of the guidelines, the nearest first."""

    matches: tuple[PolicyMatch, ...]


class Recollection(Frozen):
    """All that memory says of one text, in one answer."""

    violations: tuple[Precedent, ...]
    cases: tuple[Precedent, ...]
    policies: tuple[PolicyMatch, ...]


class Remembered(Frozen):
    """How many items were taken into memory."""

    added: int
