"""What an app posts: a text, who wrote it, and what the app knows around it."""

import hashlib
from datetime import datetime
from typing import Any, Self

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from domain.base import Frozen
from domain.vocabulary import ContentType

MAX_TEXT = 20_000
"""Characters of one text. Longer texts are refused with a clear error, never cut silently."""

MAX_DEPTH = 20
"""Levels of lists and objects in what an app adds to a text; deeper ones could not be read back everywhere."""


def nested_deeper_than(value: object, levels: int) -> bool:
    """Whether lists and objects are nested more than `levels` deep; looks no further than that."""
    inside = [value]
    for _ in range(levels + 1):
        inside = [
            inner
            for outer in inside
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return any(isinstance(value, dict | list) for value in inside)


class ContentContext(Frozen):
    """What the app says about the circumstances; every field may be absent."""

    timestamp: AwareDatetime | None = None
    conversation_id: str | None = Field(default=None, max_length=200)
    recipient_id: str | None = Field(default=None, max_length=200)
    account_created_at: AwareDatetime | None = None
    reported: bool = False
    verified: bool = False
    extra: dict[str, JsonValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _is_shallow(cls, value: Any) -> Any:
        if nested_deeper_than(value, MAX_DEPTH):
            raise ValueError(f"must not be nested deeper than {MAX_DEPTH} levels")
        return value

    def account_age_days(self, now: datetime) -> float | None:
        """Age of the author's account in days, or None where the app did not say."""
        if self.account_created_at is None:
            return None
        return max(0.0, (now - self.account_created_at).total_seconds() / 86_400)


class Content(Frozen):
    """One text to be judged. `app_id` names the tenant it belongs to."""

    app_id: str
    content_id: str = Field(min_length=1, max_length=200)
    content_type: ContentType
    text: str = Field(min_length=1, max_length=MAX_TEXT)
    user_id: str = Field(min_length=1, max_length=200)
    context: ContentContext = ContentContext()

    @model_validator(mode="after")
    def _text_is_encodable(self) -> Self:
        try:
            self.text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("text holds a lone surrogate and is not valid Unicode") from error
        return self

    @property
    def content_hash(self) -> str:
        """SHA-256 over type and text, hex; two submissions with the same hash say the same."""
        return hashlib.sha256(f"{self.content_type}\x00{self.text}".encode()).hexdigest()
