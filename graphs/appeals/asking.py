"""What the context of an appeal asks of the servers. One that does not answer is named in `missing`, and the rest
goes on: a person decides with what could be found."""

import logging

from domain.actor import system
from domain.assessment import Assessment
from domain.case import Case
from domain.errors import CupidsShieldError
from domain.history import SubjectHistory
from domain.memory import Precedent
from domain.signals import Screening
from domain.vocabulary import ContentType
from graphs.moderation.state import Services
from mcp_servers.client import ServerName, Toolbox, arguments
from mcp_servers.vector_search.answers import Precedents
from policies.assess import assess

logger = logging.getLogger(__name__)

SIMILAR = 10


async def history_of(case: Case, tools: Toolbox, missing: list[str]) -> SubjectHistory | None:
    """What the record says of the user."""
    try:
        return await tools.call(
            ServerName.DATABASE,
            "get_user_history",
            {"user_id": case.content.user_id},
            actor=system(case.app_id, "appeals"),
            answer=SubjectHistory,
        )
    except CupidsShieldError as error:
        _note(ServerName.DATABASE, error, missing)
        return None


async def similar_to(case: Case, tools: Toolbox, missing: list[str]) -> tuple[Precedent, ...]:
    """Other cases that read like this one, with how they were decided."""
    try:
        found = await tools.call(
            ServerName.VECTOR_SEARCH,
            "search_similar_cases",
            {"text": case.content.text, "limit": SIMILAR},
            actor=system(case.app_id, "appeals"),
            answer=Precedents,
        )
    except CupidsShieldError as error:
        _note(ServerName.VECTOR_SEARCH, error, missing)
        return ()
    return tuple(precedent for precedent in found.precedents if precedent.case_id != case.id)


async def read_again(
    case: Case, history: SubjectHistory | None, similar: tuple[Precedent, ...], services: Services, missing: list[str]
) -> Assessment | None:
    """How the text is assessed today, under the rules and by the model of today."""
    content = case.content
    try:
        seen = await services.tools.call(
            ServerName.MODERATION,
            "screen_content",
            arguments(text=content.text, content_type=content.content_type, context=content.context),
            actor=system(case.app_id, "appeals"),
            answer=Screening,
        )
    except CupidsShieldError as error:
        _note(ServerName.MODERATION, error, missing)
        return None
    others = history.violations - 1 if history and history.violations else 0
    known = (history or SubjectHistory(user_id=content.user_id)).model_copy(update={"violations": others})
    return assess(
        screening=seen,
        content=content,
        history=known,
        same_content=None,
        precedents=similar,
        unavailable=(),
        policies=services.policies,
        now=case.created_at,
    )


async def noticed_in(text: str, app_id: str, tools: Toolbox) -> Screening:
    """What screening notices in the user's own words. Raises ToolUnavailable."""
    return await tools.call(
        ServerName.MODERATION,
        "screen_content",
        arguments(text=text, content_type=ContentType.OTHER),
        actor=system(app_id, "appeals"),
        answer=Screening,
    )


def _note(server: ServerName, error: CupidsShieldError, missing: list[str]) -> None:
    logger.warning("an appeal is prepared without %s: %s", server, error)
    missing.append(server)
