"""One tree of errors. The gateway maps it to HTTP once; the MCP servers map it to tool errors once."""


class CupidsShieldError(Exception):
    """Root of all errors that we raise ourselves. `code` is stable and goes to callers."""

    code = "error"


class Invalid(CupidsShieldError):
    """What was asked for is malformed; asking again the same way will fail again."""

    code = "invalid"


class NotFound(CupidsShieldError):
    """There is no such thing, or it belongs to another tenant: both answer alike."""

    code = "not_found"


class NotAuthenticated(CupidsShieldError):
    code = "not_authenticated"


class NotPermitted(CupidsShieldError):
    code = "not_permitted"


class StaleVersion(CupidsShieldError):
    """Somebody else was faster: a claim epoch or version no longer holds."""

    code = "stale_version"


class IdempotencyMismatch(CupidsShieldError):
    """An idempotency key was used again with other parameters."""

    code = "idempotency_mismatch"


class RequestInProgress(CupidsShieldError):
    """The same idempotency key is being worked on right now."""

    code = "request_in_progress"


class RateLimited(CupidsShieldError):
    """Too many requests. `retry_after` is in seconds."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overloaded(CupidsShieldError):
    """A bounded queue is full. `retry_after` is in seconds."""

    code = "overloaded"

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class PolicyFileError(CupidsShieldError):
    """A policy file is broken; the message names file, line and what was expected."""

    code = "policy_file"


class ModelUnavailable(CupidsShieldError):
    """A model could not be loaded or asked."""

    code = "model_unavailable"


class UnusableAnswer(CupidsShieldError):
    """A language model answered with something that cannot be used: it is an error, never a verdict."""

    code = "unusable_answer"


class ToolUnavailable(CupidsShieldError):
    """An MCP server could not be reached or did not answer in time."""

    code = "tool_unavailable"

    def __init__(self, server: str, message: str) -> None:
        super().__init__(f"{server}: {message}")
        self.server = server


class DatabaseUnavailable(CupidsShieldError):
    """The database cannot be read or written at present; nothing was acknowledged."""

    code = "database_unavailable"


class SettingsError(CupidsShieldError):
    """The configuration cannot be used; the message says which setting and what it needs."""

    code = "settings"
