"""A circuit breaker: after so many failures in a while a model is left alone, then tried once before it is trusted.

The clock is handed in. Only what says that the model cannot be reached counts: an answer that cannot be used depends on
the text, and whoever writes texts could otherwise switch a model off for everybody.
"""

from collections import deque
from collections.abc import Callable
from typing import Literal

FAILURES = 5
WITHIN_S = 60.0
OPEN_S = 60.0


class Breaker:
    """Closed (asked), open (left alone for `OPEN_S`), half-open (one probe under way)."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: deque[float] = deque(maxlen=FAILURES)
        self._opened: float | None = None
        self._probing = False

    @property
    def state(self) -> Literal["closed", "open", "half_open"]:
        """How it stands."""
        if self._opened is None:
            return "closed"
        return "half_open" if self._probing else "open"

    def admits(self) -> bool:
        """Whether the model may be asked now. Who is admitted must say how it went, or that it was given up."""
        if self._opened is None:
            return True
        if self._probing or self._clock() - self._opened < OPEN_S:
            return False
        self._probing = True
        return True

    def succeeded(self) -> None:
        """It answered, usably or not."""
        self._opened, self._probing = None, False
        self._failed.clear()

    def failed(self) -> None:
        """Nothing came, or an error did."""
        now = self._clock()
        self._failed.append(now)
        if self._probing or (len(self._failed) == FAILURES and now - self._failed[0] <= WITHIN_S):
            self._opened = now
        self._probing = False

    def given_up(self) -> None:
        """Who asked went away before it was known how it would end."""
        self._probing = False
