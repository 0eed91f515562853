"""The tools of the vector-search server.

What agents add is remembered as unconfirmed: it can be found and shown, and never votes. Memory of
confirmed cases is written by the service alone, from what people decided.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from pydantic import Field

from data.memory import Memory
from domain.actor import Actor
from domain.clock import now
from domain.content import MAX_TEXT
from domain.ids import new_id
from domain.memory import Collection, MemoryItem
from domain.vocabulary import DecisionKind, Policy, Scope, Severity
from mcp_servers.identity import Call, Identify, require_service
from mcp_servers.vector_search.answers import PolicyMatches, Precedents, Recollection, Remembered

Embed = Callable[[Sequence[str]], Awaitable[list[str]]]
"""Vectors of texts: base64 of 384 float32 each."""

Query = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, description="The text to compare with.")]
Limit = Annotated[int, Field(ge=1, le=50, description="How many at most.")]


class VectorSearchTools:
    """Bound to one memory, one embedder and one way of telling who calls."""

    def __init__(self, memory: Memory, embed: Embed, identify: Identify) -> None:
        self._memory = memory
        self._embed = embed
        self._identify = identify

    async def search_similar_violations(self, text: Query, call: Call, limit: Limit = 5) -> Precedents:
        """Violations of the past that read like this text. Finds known patterns; look at search_similar_cases as
        well, which also knows what looked alike and was fine."""
        return await self._similar(Collection.FLAGGED_CONTENT, text, call, limit)

    async def search_similar_cases(self, text: Query, call: Call, limit: Limit = 5) -> Precedents:
        """Cases of the past that read like this text, approved ones included, with how they were decided."""
        return await self._similar(Collection.HISTORICAL_CASES, text, call, limit)

    async def search_policies(self, text: Query, call: Call, limit: Limit = 5) -> PolicyMatches:
        """Passages of the guidelines that speak of something like this text."""
        self._identify(call).require(Scope.READ)
        [vector] = await self._embed([text])
        return PolicyMatches(matches=await self._memory.search_policies(vector, limit=limit))

    async def recall(
        self, vector: Annotated[str, Field(description="Base64 of 384 float32.")], call: Call, limit: Limit = 5
    ) -> Recollection:
        """Violations, cases and guideline passages near to a vector, in one answer. Reserved to the service."""
        actor = self._identify(call)
        require_service(actor, "recall")
        violations, cases, confirmed, policies = await asyncio.gather(
            self._memory.search(Collection.FLAGGED_CONTENT, app_id=actor.app_id, vector=vector, limit=limit),
            self._memory.search(Collection.HISTORICAL_CASES, app_id=actor.app_id, vector=vector, limit=limit),
            self._memory.search(Collection.CONFIRMED_CASES, app_id=actor.app_id, vector=vector, limit=limit),
            self._memory.search_policies(vector, limit=3),
        )
        known = {precedent.case_id for precedent in (*violations, *cases)}
        further = tuple(precedent for precedent in confirmed if precedent.case_id not in known)
        return Recollection(violations=violations, cases=(*cases, *further), policies=policies)

    async def add_flagged_content(
        self,
        text: Query,
        violation_type: Annotated[Policy, Field(description="The guideline it violates.")],
        severity: Severity,
        call: Call,
        confidence: Annotated[float, Field(ge=0, le=1)] = 0.5,
    ) -> Remembered:
        """Remember a text as an example of a violation. Kept as unconfirmed: it is shown to people beside similar
        content and sways no decision until a person confirms it."""
        return await self._add(text, DecisionKind.REJECTED, violation_type, severity, confidence, call)

    async def add_historical_case(
        self,
        text: Query,
        decision: DecisionKind,
        call: Call,
        violation_type: Policy | None = None,
        severity: Severity | None = None,
        confidence: Annotated[float, Field(ge=0, le=1)] = 0.5,
    ) -> Remembered:
        """Remember a text and how it was decided elsewhere. Kept as unconfirmed, like add_flagged_content."""
        return await self._add(text, decision, violation_type, severity, confidence, call)

    async def remember(self, items: list[MemoryItem], call: Call) -> Remembered:
        """Take many cases into memory at once; doing it twice changes nothing. Reserved to the service."""
        require_service(self._identify(call), "remember")
        await self._memory.add(await self._with_vectors(items))
        return Remembered(added=len(items))

    async def _with_vectors(self, items: list[MemoryItem]) -> list[MemoryItem]:
        """What people decided comes without a vector: it is made here, with the model that memory is searched by."""
        without = [item for item in items if not item.vector]
        made = iter(await self._embed([item.text for item in without])) if without else iter(())
        return [item if item.vector else item.model_copy(update={"vector": next(made)}) for item in items]

    async def _similar(self, collection: Collection, text: str, call: Call, limit: int) -> Precedents:
        actor = self._identify(call)
        actor.require(Scope.READ)
        [vector] = await self._embed([text])
        found = await self._memory.search(collection, app_id=actor.app_id, vector=vector, limit=limit)
        return Precedents(precedents=found)

    async def _add(
        self,
        text: str,
        decision: DecisionKind,
        policy: Policy | None,
        severity: Severity | None,
        confidence: float,
        call: Call,
    ) -> Remembered:
        actor: Actor = self._identify(call)
        actor.require(Scope.MODERATE)
        [vector] = await self._embed([text])
        item = MemoryItem(
            app_id=actor.app_id,
            case_id=new_id("outside"),
            text=text,
            vector=vector,
            decision=decision,
            policy=policy,
            severity=severity,
            confidence=confidence,
            created_at=now(),
        )
        await self._memory.add([item])
        return Remembered(added=1)
