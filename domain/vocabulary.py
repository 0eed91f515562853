"""The closed sets of words: policies, severities, decisions, actions, routes, priorities.

Every enum is a `StrEnum`, so a value reads the same in Python, in JSON and in a database column.
"""

from enum import StrEnum


class Policy(StrEnum):
    """The nine guidelines a piece of content can violate."""

    HARASSMENT = "harassment"
    HATE = "hate"
    THREATS = "threats"
    SCAMS = "scams"
    SPAM = "spam"
    FAKE_PROFILE = "fake_profile"
    INAPPROPRIATE = "inappropriate"
    AGE_VERIFICATION = "age_verification"
    SELF_HARM = "self_harm"


class Severity(StrEnum):
    """How bad a violation is, from least to worst."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for low to 3 for critical."""
        return list(Severity).index(self)


class DecisionKind(StrEnum):
    """What was decided about a piece of content."""

    APPROVED = "approved"
    REJECTED = "rejected"
    ESCALATED = "escalated"


class Action(StrEnum):
    """What happens to the account, the content, or how it is shown. All can be reversed."""

    FLAG_FOR_REVIEW = "flag_for_review"
    WARN = "warn"
    REMOVE = "remove"
    WARN_AND_REMOVE = "warn_and_remove"
    TEMP_BAN_24H = "temp_ban_24h"
    TEMP_BAN_7D = "temp_ban_7d"
    REQUEST_VERIFICATION = "request_verification"
    REQUEST_ID_VERIFICATION = "request_id_verification"
    SUSPEND_UNTIL_VERIFIED = "suspend_until_verified"
    PERMANENT_BAN = "permanent_ban"
    PERMANENT_BAN_AND_REPORT = "permanent_ban_and_report"
    OFFER_SUPPORT = "offer_support"
    BLUR = "blur"
    SHADOW_HIDE = "shadow_hide"
    COLLAPSE_THREAD = "collapse_thread"
    THROTTLE = "throttle"
    ALERT_CREATOR = "alert_creator"
    CAMPAIGN_LOCK = "campaign_lock"


class Route(StrEnum):
    """Which people look at an escalated case."""

    MODERATOR = "moderator"
    SENIOR = "senior"
    LEGAL = "legal"
    CARE = "care"


class Priority(StrEnum):
    """How soon people must look at it; each has an SLA in hours in the policy files."""

    URGENT = "urgent"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Floor(StrEnum):
    """The least that rules and classifier demand, whatever anyone says later.

    `REVIEW`: a person must look. `LEGAL`: the legal team must look.
    """

    NONE = "none"
    REVIEW = "review"
    LEGAL = "legal"

    @property
    def rank(self) -> int:
        return list(Floor).index(self)


class ContentType(StrEnum):
    """What kind of text was posted."""

    MESSAGE = "message"
    OPENER = "opener"
    PROFILE = "profile"
    BIO = "bio"
    USERNAME = "username"
    COMMENT = "comment"
    OTHER = "other"


class SignalSource(StrEnum):
    """Who noticed something."""

    CLASSIFIER = "classifier"
    RULE = "rule"
    HIDDEN_TEXT = "hidden_text"
    LANGUAGE = "language"
    MEMORY = "memory"
    HISTORY = "history"
    BEHAVIOUR = "behaviour"
    AGENT = "agent"


class Scope(StrEnum):
    """What a key may do. No scope of an app or agent lets it record a human decision."""

    MODERATE = "moderate"
    READ = "read"
    NOTIFY = "notify"
