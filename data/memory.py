"""The vector memory on Chroma: embedded in a folder, or a server by URL.

Each app has collections of its own: a tenant's memory cannot be reached from another's, and a search
needs no filter (which costs a hundred times the search). We always give our own vectors.
"""

import asyncio
import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import chromadb
import httpx
import numpy as np
from chromadb.api import ClientAPI
from chromadb.config import Settings
from chromadb.errors import ChromaError, InternalError, InvalidArgumentError

from domain.errors import Invalid, ToolUnavailable
from domain.memory import Collection, MemoryItem, PolicyMatch, Precedent
from domain.vocabulary import DecisionKind, Policy, Severity

POLICIES = "policies"
NONE = "none"
BATCH = 1_000
COSINE = {"hnsw": {"space": "cosine"}}

ANSWERS_WITHIN_S = 10.0
"""How long a Chroma server may take for one request."""

AGAIN_AFTER_S = 0.05
"""When Chroma is asked once more after an error of its own: a search that meets the first write into a collection finds
an index that is half there ("Nothing found on disk"), and whole a moment later."""

OUTAGES = (ChromaError, httpx.HTTPError, json.JSONDecodeError, OSError)
"""What comes of a store that is damaged, a server that is away, or something else that answers in its place."""

T = TypeVar("T")


class Memory:
    """What was seen before and how it was judged, per app; and the passages of the guidelines."""

    def __init__(self, client: ClientAPI, space: str) -> None:
        self._client = client
        self._space = space
        self._opened: dict[str, chromadb.Collection] = {}

    @classmethod
    def open(cls, path: Path | None, url: str | None, space: str = "") -> "Memory":
        """Open the store in `path`, or the server at `url`. Raises ToolUnavailable.

        `space` names the model whose vectors are kept: those of another cannot be compared, so each has its own
        collections, and after a change of model memory is filled anew from the record.
        """
        # Chroma notes the server in the settings that it is given, so each client needs its own.
        settings = Settings(anonymized_telemetry=False)
        try:
            client = _connected(url, settings) if url else chromadb.PersistentClient(str(path), settings=settings)
            return cls(client, space)
        except (*OUTAGES, ValueError) as error:
            # A server that does not answer as Chroma does is a ValueError here.
            raise ToolUnavailable("vector-search", f"memory cannot be opened ({type(error).__name__})") from error

    async def search(self, collection: Collection, *, app_id: str, vector: str, limit: int) -> tuple[Precedent, ...]:
        """The app's cases most alike, the nearest first. Empty where nothing was remembered yet."""
        return await self._do(lambda: self._search(collection, app_id, vector, limit))

    async def add(self, items: Sequence[MemoryItem]) -> None:
        """Take cases into memory; doing it twice changes nothing.

        Every item goes into `historical_cases`; a violation into `flagged_content` as well, from which a
        confirmed approval is removed again.
        """
        await self._do(lambda: self._add(items))

    async def search_policies(self, vector: str, *, limit: int) -> tuple[PolicyMatch, ...]:
        """The passages of the guidelines nearest to a vector."""
        return await self._do(lambda: self._search_policies(vector, limit))

    async def index_policies(self, passages: Sequence[tuple[Policy, str, str]]) -> None:
        """Replace all passages by these (policy, passage, vector)."""
        await self._do(lambda: self._index_policies(passages))

    async def count(self, app_id: str) -> int:
        """How many cases of the app are remembered."""
        return await self._do(lambda: self._of(Collection.HISTORICAL_CASES, app_id).count())

    async def _do(self, work: Callable[[], T]) -> T:
        """Raises ToolUnavailable for an outage, Invalid for what Chroma refuses; a fault of ours stays what it is."""
        try:
            try:
                return await asyncio.to_thread(work)
            except InternalError:
                await asyncio.sleep(AGAIN_AFTER_S)
                return await asyncio.to_thread(work)
        except InvalidArgumentError as error:
            raise Invalid(f"memory refuses this ({error}); use the model that memory was filled with") from error
        except Exception as error:
            # Chroma's client raises a bare Exception for an HTTP status that it has no error for.
            if isinstance(error, OUTAGES) or type(error) is Exception:
                raise ToolUnavailable("vector-search", f"memory does not answer ({type(error).__name__})") from error
            raise

    def _of(self, collection: Collection, app_id: str) -> chromadb.Collection:
        of = f"{app_id}\n{self._space}" if self._space else app_id
        return self._named(f"{collection}-{hashlib.sha256(of.encode()).hexdigest()[:32]}")

    def _named(self, name: str) -> chromadb.Collection:
        if name not in self._opened:
            self._opened[name] = self._client.get_or_create_collection(
                name,
                embedding_function=None,
                configuration=COSINE,  # type: ignore[arg-type]
            )
        return self._opened[name]

    def _search(self, collection: Collection, app_id: str, vector: str, limit: int) -> tuple[Precedent, ...]:
        found = self._of(collection, app_id).query(
            query_embeddings=[unpacked(vector)], n_results=limit, include=["documents", "metadatas", "distances"]
        )
        return tuple(
            _precedent(collection, *entry)
            for entry in zip(found["ids"][0], *(_first(found, key) for key in _PARTS), strict=True)
        )

    def _add(self, items: Sequence[MemoryItem]) -> None:
        by_app: defaultdict[str, dict[str, MemoryItem]] = defaultdict(dict)
        for item in items:
            by_app[item.app_id][item.case_id] = item
        for app_id, latest in by_app.items():
            everything = list(latest.values())
            _upsert(self._of(Collection.HISTORICAL_CASES, app_id), everything)
            _upsert(self._of(Collection.CONFIRMED_CASES, app_id), [item for item in everything if item.confirmed])
            flagged = self._of(Collection.FLAGGED_CONTENT, app_id)
            _upsert(flagged, [item for item in everything if _is_violation(item)])
            if cleared := [item.case_id for item in everything if item.confirmed and not _is_violation(item)]:
                flagged.delete(ids=cleared)

    def _search_policies(self, vector: str, limit: int) -> tuple[PolicyMatch, ...]:
        found = self._named(POLICIES).query(
            query_embeddings=[unpacked(vector)], n_results=limit, include=["documents", "metadatas", "distances"]
        )
        rows = zip(*(_first(found, key) for key in _PARTS), strict=True)
        return tuple(
            PolicyMatch(policy=Policy(meta["policy"]), passage=text, similarity=1 - distance)
            for text, meta, distance in rows
        )

    def _index_policies(self, passages: Sequence[tuple[Policy, str, str]]) -> None:
        # In place: a collection made anew would be a stranger to other processes that have it open.
        shelf, ids = self._named(POLICIES), [str(number) for number in range(len(passages))]
        if passages:
            shelf.upsert(
                ids=ids,
                documents=[passage for _, passage, _ in passages],
                embeddings=[unpacked(vector) for _, _, vector in passages],
                metadatas=[{"policy": policy.value} for policy, _, _ in passages],
            )
        if surplus := sorted(set(shelf.get(include=[])["ids"]) - set(ids)):
            shelf.delete(ids=surplus)


def _connected(url: str, settings: Settings) -> ClientAPI:
    """A client of the server at `url`. Left to itself, Chroma's would wait for an answer for ever, also here."""
    httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=ANSWERS_WITHIN_S).raise_for_status().json()
    parts = urlsplit(url)
    ssl = parts.scheme == "https"
    client = chromadb.HttpClient(parts.hostname or "", parts.port or (443 if ssl else 80), ssl, settings=settings)
    session: httpx.Client = client._server._session  # type: ignore[attr-defined]
    session.timeout = ANSWERS_WITHIN_S
    return client


_PARTS = ("documents", "metadatas", "distances")


def unpacked(vector: str) -> Any:
    """The numbers of a packed vector: base64 of little-endian float32."""
    return np.frombuffer(base64.b64decode(vector), dtype="<f4")


def _first(found: Any, key: str) -> list[Any]:
    column = found[key]
    return list(column[0]) if column else []


def _is_violation(item: MemoryItem) -> bool:
    return item.policy is not None and item.decision is DecisionKind.REJECTED


def _upsert(collection: chromadb.Collection, items: Sequence[MemoryItem]) -> None:
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        collection.upsert(
            ids=[item.case_id for item in batch],
            embeddings=[unpacked(item.vector) for item in batch],
            documents=[item.text for item in batch],
            metadatas=[
                {
                    "decision": item.decision.value,
                    "policy": item.policy or NONE,
                    "severity": item.severity or NONE,
                    "confidence": item.confidence,
                    "confirmed": item.confirmed,
                    "created_at": item.created_at.astimezone(UTC).isoformat(),
                }
                for item in batch
            ],
        )


def _precedent(collection: Collection, case_id: str, text: str, meta: dict[str, Any], distance: float) -> Precedent:
    return Precedent(
        collection=collection,
        case_id=case_id,
        text=text,
        similarity=max(-1.0, min(1.0, 1 - distance)),
        decision=DecisionKind(meta["decision"]),
        policy=None if meta["policy"] == NONE else Policy(meta["policy"]),
        severity=None if meta["severity"] == NONE else Severity(meta["severity"]),
        confirmed=bool(meta["confirmed"]),
    )
