"""The pages that stand in the header, and who sees which."""

from fastapi import Request

from domain.base import Frozen
from domain.staff import Right, Staff
from ui.access import Page


class Entry(Frozen):
    """One page: its name, its address, the keys that lead there, and what is needed to open it."""

    title: str
    path: str
    keys: str
    right: Right


ENTRIES = (
    Entry(title="Queue", path="/queue", keys="g q", right=Right.READ_CASES),
    Entry(title="Appeals", path="/appeals", keys="g a", right=Right.READ_CASES),
    Entry(title="Quality", path="/quality", keys="g k", right=Right.LEAD_QUALITY),
    Entry(title="Numbers", path="/numbers", keys="g n", right=Right.SEE_NUMBERS),
    Entry(title="Staff", path="/staff", keys="g s", right=Right.MANAGE_STAFF),
)


def entries_for(request: Request, staff: Staff) -> tuple[Entry, ...]:
    """The pages that somebody may open."""
    served = {route.path for route in request.app.router.routes if isinstance(route, Page)}
    return tuple(entry for entry in ENTRIES if entry.path in served and staff.may(entry.right))
