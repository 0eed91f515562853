"""Turns templates into pages: one environment that escapes everything, and what every page knows."""

import hashlib
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import QueryParams

from domain.staff import Right
from ui import cookies, flash
from ui.access import Visit, token_of
from ui.cookies import Cookie
from ui.highlight import readable, readable_lines
from ui.navigation import entries_for
from ui.parts import parts_of

HERE = Path(__file__).parent
STATIC = HERE / "static"


def render(request: Request, template: str, *, status: int = 200, **known: Any) -> HTMLResponse:
    """A page. It knows `visit`, `csrf`, `navigation`, `alarms`, `flash`, `here`, `now` and `Right` besides what it is
    given."""
    visit: Visit | None = getattr(request.state, "visit", None)
    told = flash.taken(request) if hasattr(request.state, "visit") else None
    text = (
        environment()
        .get_template(template)
        .render(
            visit=visit,
            csrf=token_of(request) if hasattr(request.state, "visit") else "",
            navigation=entries_for(request, visit.staff) if visit else (),
            alarms=_alarms(request, visit) if visit else 0,
            flash=told,
            here=request.url.path,
            query=request.query_params,
            now=parts_of(request).clock(),
            Right=Right,
            **known,
        )
    )
    response = HTMLResponse(text, status_code=status)
    if told:
        cookies.drop(request, response, Cookie.FLASH)
    return response


def _alarms(request: Request, visit: Visit) -> int:
    """How many limits are crossed now, for who may see numbers."""
    if not visit.staff.may(Right.SEE_NUMBERS):
        return 0
    return sum(len(found) for found in parts_of(request).alarms(visit.app_ids).values())


@cache
def environment() -> Environment:
    """The templates. Everything that is put into one is escaped; what is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(ago=ago, when=when, words=words, percent=percent, days=days, capitalize_first=capitalize_first)
    made.globals.update(asset=asset, query_with=query_with, no_query=QueryParams())
    made.globals.update(readable=readable, readable_lines=readable_lines)
    return made


@cache
def asset(name: str) -> str:
    """The address of a file of ours, with its hash, so that browsers may keep it for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/console/{name}?v={digest}"


def words(value: object) -> str:
    """A word of a closed set as people write it: `fake_profile` is `fake profile`; – for None."""
    if value is None:
        return "–"
    return str(value.value if isinstance(value, Enum) else value).replace("_", " ")


def capitalize_first(text: str) -> str:
    """The text with a capital at its beginning, the rest as it is."""
    return text[:1].upper() + text[1:]


def percent(share: float) -> str:
    """0.724 as `72%`."""
    return f"{share:.0%}"


def when(moment: datetime | None) -> Markup | str:
    """A moment, with the whole of it for who looks closer; – for None."""
    if moment is None:
        return "–"
    at = moment.astimezone(UTC)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), at.strftime("%A %d %B %Y %H:%M:%S UTC"), at.strftime("%d %b %Y, %H:%M")
    )


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, or how long to come, in its largest unit: `5 m`, `2 h`, `in 3 d`."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if size >= length:
            said = f"{int(size // length)} {unit}"
            break
    else:
        said = f"{int(size)} s"
    return said if seconds >= 0 else f"in {said}"


def days(number: float) -> str:
    """An age in its largest unit: `4 days`, `6 months`, `2 years`."""
    for unit, length in (("year", 365.25), ("month", 30.44), ("day", 1.0)):
        if number >= length:
            size = int(number // length)
            return f"{size} {unit}{'' if size == 1 else 's'}"
    return "less than a day"


def query_with(query: Any, **changed: object) -> str:
    """The query of this page with some values changed; None leaves one out."""
    pairs = [(key, value) for key, value in query.multi_items() if key not in changed]
    pairs += [(key, str(value)) for key, value in changed.items() if value is not None]
    return "?" + urlencode(pairs)
