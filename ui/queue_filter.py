"""What the queue is narrowed by, as it stands in an address: so that a view can be kept, sent on, and come back to."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from pydantic import ValidationError

from domain.errors import Invalid
from domain.queue import QueueFilter
from ui.access import Visit

NAMES = ("route", "policy", "severity", "priority", "kind", "status", "overdue", "q")
APP = "app"
LONGEST = 1_000


def filter_of(values: Mapping[str, str], *, app_id: str | None) -> QueueFilter:
    """The filter of an address; what is empty does not narrow. Raises Invalid for a word that is none of ours."""
    given = {name: values[name].strip() for name in NAMES if values.get(name, "").strip()}
    if "q" in given:
        given["text"] = given.pop("q")
    try:
        return QueueFilter.model_validate({**given, "app_id": app_id})
    except ValidationError as error:
        fields = ", ".join(sorted({str(item["loc"][0]) for item in error.errors()}))
        raise Invalid(f"the queue cannot be filtered like this ({fields}); clear the filters") from error


def query_of(values: Mapping[str, str]) -> str:
    """The same in one spelling, without what is empty and without the place on the page."""
    return urlencode([(name, values[name].strip()) for name in (APP, *NAMES) if values.get(name, "").strip()])


def view_of(view: str, visit: Visit) -> tuple[str, QueueFilter]:
    """The filter that somebody came with, carried by the forms of a page; none of it where it cannot be used."""
    values = dict(parse_qsl(view[:LONGEST]))
    own = {app.id for app in visit.apps}
    app_id = values.get(APP) if values.get(APP) in own else (visit.chosen.id if visit.chosen else None)
    try:
        return query_of(values), filter_of(values, app_id=app_id)
    except Invalid:
        return "", QueueFilter(app_id=app_id)
