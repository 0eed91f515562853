"""The tools of the moderation server.

They screen, decide, explain and read the guidelines. What restricts a person on an agent's word is
only ever proposed: a human moderator decides.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import Field, ValidationError

from domain.actor import Actor
from domain.answer import ModerationAnswer
from domain.case import Case
from domain.content import MAX_TEXT, Content, ContentContext
from domain.errors import Invalid
from domain.ids import new_id
from domain.signals import Screening
from domain.submission import Flag, Submission
from domain.vocabulary import Action, ContentType, DecisionKind, Policy, Scope, Severity
from mcp_servers.database.answers import Proposal
from mcp_servers.identity import Call, Identify
from mcp_servers.moderation.answers import Explanation, GuidelineList, GuidelineText
from mcp_servers.moderation.explanation import explain
from policies.model import Guideline, PolicySet

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description="The text exactly as it was posted.")]
Kind = Annotated[ContentType, Field(description="What kind of text it is.")]
Author = Annotated[str, Field(min_length=1, max_length=200, description="The author's identifier in the app.")]


class Propose(Protocol):
    """Puts an action on a case before a person, for the policy that it is asked for, where one is named."""

    def __call__(
        self,
        case_id: str,
        action: Action,
        reasoning: str,
        actor: Actor,
        *,
        policy: Policy | None = None,
        severity: Severity | None = None,
    ) -> Awaitable[Proposal]: ...


@dataclass(frozen=True)
class Powers:
    """What the tools call down to, handed in where the service is put together."""

    screen: Callable[[Content], Awaitable[Screening]]
    policies: PolicySet
    moderate: Callable[[Submission, Actor], Awaitable[ModerationAnswer]]
    get_case: Callable[[str, Actor], Awaitable[Case]]
    propose: Propose


class ModerationTools:
    """Bound to the service's powers and one way of telling who calls."""

    def __init__(self, powers: Powers, identify: Identify) -> None:
        self._powers = powers
        self._identify = identify

    async def moderate_content(
        self,
        text: Text,
        user_id: Author,
        call: Call,
        content_type: Kind = ContentType.MESSAGE,
        content_id: Annotated[str | None, Field(description="Your identifier; sending it again is safe.")] = None,
        context: ContentContext | None = None,
    ) -> ModerationAnswer:
        """Decide about a text: approved, rejected (with the action taken) or escalated to people. Opens a case
        that can be explained and appealed. Use screen_content instead to look without deciding."""
        actor = self._identify(call)
        actor.require(Scope.MODERATE)
        content = self._content(actor, text, user_id, content_type, content_id, context)
        return await self._powers.moderate(Submission(content=content), actor)

    async def screen_content(
        self,
        text: Text,
        call: Call,
        content_type: Kind = ContentType.MESSAGE,
        context: ContentContext | None = None,
        with_vector: Annotated[bool, Field(description="Also return the memory vector (2 KB).")] = False,
    ) -> Screening:
        """What local screening notices in a text: signals with their weights in log-odds, evidence, language.
        Decides nothing and keeps nothing."""
        actor = self._identify(call)
        actor.require(Scope.MODERATE)
        screening = await self._powers.screen(self._content(actor, text, "-", content_type, None, context))
        return screening if with_vector else screening.model_copy(update={"vector": ""})

    async def flag_content(
        self,
        text: Text,
        user_id: Author,
        violation_type: Annotated[Policy, Field(description="The guideline you believe is violated.")],
        confidence: Annotated[float, Field(ge=0, le=1, description="How sure you are.")],
        reasoning: Annotated[str, Field(min_length=1, max_length=2_000, description="Why, for the reviewer.")],
        call: Call,
        severity: Severity | None = None,
        content_type: Kind = ContentType.MESSAGE,
        content_id: str | None = None,
        context: ContentContext | None = None,
    ) -> ModerationAnswer:
        """Report a text that you believe violates a guideline. It is assessed like any other, and a person looks at
        it whatever the machine decides or had decided before; your flag alone penalises nobody."""
        actor = self._identify(call)
        actor.require(Scope.MODERATE)
        flag = Flag(
            policy=violation_type, severity=severity, confidence=confidence, reasoning=reasoning, raised_by=actor.label
        )
        content = self._content(actor, text, user_id, content_type, content_id, context)
        answer = await self._powers.moderate(Submission(content=content, flag=flag), actor)
        if answer.replayed or answer.decision is not DecisionKind.ESCALATED:
            why = f"flagged as {violation_type}: {reasoning}"
            await self._powers.propose(
                answer.case_id, Action.FLAG_FOR_REVIEW, why, actor, policy=violation_type, severity=severity
            )
        return answer

    async def get_policy(self, name: Annotated[Policy, Field(description="Which guideline.")]) -> GuidelineText:
        """One guideline: the rule in plain language, what it covers and does not, severities and actions."""
        return guideline_text(self._powers.policies.guideline(name))

    async def list_policies(self) -> GuidelineList:
        """All guidelines in force."""
        policies = self._powers.policies
        return GuidelineList(
            policy_set=policies.set_hash,
            guidelines=tuple(guideline_text(policies.guideline(policy)) for policy in Policy),
        )

    async def explain_decision(
        self, case_id: Annotated[str, Field(description="Identifier of a case.")], call: Call
    ) -> Explanation:
        """Why a case was decided as it was: findings with weights, similar cases, thresholds, policy, who."""
        actor = self._identify(call)
        actor.require(Scope.READ)
        return explain(await self._powers.get_case(case_id, actor))

    async def apply_action(
        self,
        case_id: Annotated[str, Field(description="Identifier of a case.")],
        action: Annotated[Action, Field(description="What you think should be done.")],
        reasoning: Annotated[str, Field(min_length=1, max_length=2_000, description="Why, for the reviewer.")],
        call: Call,
    ) -> Proposal:
        """Ask for an action on a case. It is put before a human moderator and applied only if they agree;
        the answer tells where it waits."""
        actor = self._identify(call)
        actor.require(Scope.MODERATE)
        return await self._powers.propose(case_id, action, reasoning, actor)

    def _content(
        self,
        actor: Actor,
        text: str,
        user_id: str,
        content_type: ContentType,
        content_id: str | None,
        context: ContentContext | None,
    ) -> Content:
        try:
            return Content(
                app_id=actor.app_id,
                content_id=content_id or new_id("content"),
                content_type=content_type,
                text=text,
                user_id=user_id,
                context=context or ContentContext(),
            )
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'text'}: {item['msg']}"
                for item in error.errors(include_input=False, include_context=False, include_url=False)
            )
            raise Invalid(f"this content cannot be taken: {wrong}") from None


def decision_for(action: Action) -> DecisionKind:
    """The decision that an action amounts to: asking for review escalates, anything else rejects."""
    return DecisionKind.ESCALATED if action is Action.FLAG_FOR_REVIEW else DecisionKind.REJECTED


def guideline_text(guideline: Guideline) -> GuidelineText:
    """A guideline as agents and people read it."""
    return GuidelineText(
        policy=guideline.name,
        title=guideline.title,
        version=guideline.version,
        rule=guideline.rule,
        covers=guideline.covers,
        does_not_cover=guideline.does_not_cover,
        severities={severity: guideline.severities.model_dump()[severity] for severity in Severity},
        ladder=dict(guideline.ladder.rungs()),
        fixed_route=guideline.fixed_route.route if guideline.fixed_route else None,
    )
