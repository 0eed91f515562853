"""What the public API takes and gives, with examples. Lenient in what the brief allows, strict in the rest."""

from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticSerializationError

from domain.answer import ModerationAnswer
from domain.content import MAX_DEPTH, MAX_TEXT, Content, ContentContext, nested_deeper_than
from domain.ids import new_id
from domain.vocabulary import ContentType
from gateway.errors import ErrorDetail

MAX_BATCH = 100
MAX_METADATA = 8_000

NUL = "\x00"


def _unicode(value: Any) -> Any:
    """JSON can spell half of a surrogate pair, which is no character and cannot be kept."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError("must be valid Unicode, without lone surrogates") from error
    return value


def _without_nul(value: Any) -> Any:
    """NUL cannot be kept by every database; it is judged and kept as U+FFFD, visibly."""
    return value.replace(NUL, "�") if isinstance(value, str) else value


def _no_nul(value: Any) -> Any:
    if isinstance(value, str) and NUL in value:
        raise ValueError("must not hold a NUL character")
    return value


Identifier = Annotated[str, Field(min_length=1, max_length=200), BeforeValidator(_no_nul), BeforeValidator(_unicode)]
Words = Annotated[str, BeforeValidator(_without_nul), BeforeValidator(_unicode)]
"""What a person wrote; a NUL becomes U+FFFD, visibly."""

SearchWords = Annotated[
    str, Field(max_length=200, description="Only cases whose content holds this."), BeforeValidator(_no_nul)
]
Text = Annotated[
    str,
    Field(min_length=1, max_length=MAX_TEXT, description="The text exactly as the user wrote it."),
    BeforeValidator(_without_nul),
    BeforeValidator(_unicode),
]


class Metadata(BaseModel):
    """What the app knows about the circumstances. Fields we do not know are kept with the case."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue]

    timestamp: AwareDatetime | None = None
    conversation_id: Identifier | None = None
    recipient_id: Identifier | None = None
    account_created_at: AwareDatetime | None = Field(
        default=None, description="When the author's account was made; new accounts weigh more."
    )
    reported: bool = Field(default=False, description="Whether another user reported this content.")
    verified: bool = Field(default=False, description="Whether the author's identity or photo was verified.")

    @model_validator(mode="before")
    @classmethod
    def _is_shallow(cls, value: Any) -> Any:
        if nested_deeper_than(value, MAX_DEPTH):
            raise ValueError(f"must not be nested deeper than {MAX_DEPTH} levels")
        return value

    @model_validator(mode="after")
    def _is_small_unicode(self) -> "Metadata":
        try:
            size = len(self.model_dump_json())
        except PydanticSerializationError as error:
            raise ValueError("must be valid Unicode, without lone surrogates") from error
        if size > MAX_METADATA:
            raise ValueError(f"must be at most {MAX_METADATA:,} characters of JSON")
        return self

    def context(self) -> ContentContext:
        """The same as the domain knows it."""
        return ContentContext(
            timestamp=self.timestamp,
            conversation_id=self.conversation_id,
            recipient_id=self.recipient_id,
            account_created_at=self.account_created_at,
            reported=self.reported,
            verified=self.verified,
            extra=self.__pydantic_extra__ or {},
        )


class ModerateRequest(BaseModel):
    """One text to be decided about."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "content_id": "msg_abc123",
                    "content_type": "message",
                    "content": "Hey! Want to invest in crypto?",
                    "user_id": "user_456",
                    "metadata": {
                        "timestamp": "2026-01-15T10:30:00Z",
                        "conversation_id": "conv_789",
                        "recipient_id": "user_999",
                    },
                }
            ]
        },
    )

    content: Text
    user_id: Identifier
    content_id: Identifier | None = Field(
        default=None, description="Your identifier of the content. Sending the same content again is safe."
    )
    content_type: ContentType = ContentType.MESSAGE
    metadata: Metadata = Metadata()

    def to_content(self, app_id: str, fallback_id: str | None = None) -> Content:
        """The content as the domain knows it; without a `content_id`, one is made from `fallback_id` or anew."""
        return Content(
            app_id=app_id,
            content_id=self.content_id or fallback_id or new_id("content"),
            content_type=self.content_type,
            text=self.content,
            user_id=self.user_id,
            context=self.metadata.context(),
        )


class BatchRequest(BaseModel):
    """Up to 100 texts; each gets its own result."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "items": [
                        {"content_id": "msg_1", "content": "Hey! Want to invest in crypto?", "user_id": "user_456"},
                        {"content_id": "msg_2", "content": "See you at the market on Saturday", "user_id": "user_789"},
                    ]
                }
            ]
        },
    )

    items: list[Annotated[Any, WithJsonSchema({"$ref": "#/components/schemas/ModerateRequest"})]] = Field(
        min_length=1, max_length=MAX_BATCH, description="Each as the body of POST /api/v1/moderate; one by one judged."
    )


class BatchResult(BaseModel):
    """One item's result: `answer` or `error`, never both. `status` is what the item would have got alone."""

    index: int
    status: int
    answer: ModerationAnswer | None = None
    error: ErrorDetail | None = None


class BatchResponse(BaseModel):
    """Results in the order of the items."""

    results: list[BatchResult]
