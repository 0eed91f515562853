"""What the browser suite and the screenshots find in the queue: conversations, disguises, scenario 5 of the design."""

from datetime import UTC, datetime, timedelta

from cupidsshield.samples import held_out
from tests.browser.serving import Service

GUILT = (
    "I can't believe you haven't responded yet. This is really frustrating. I've been nothing but nice to you and you "
    "just ignore me like I don't matter."
)
"""The message of the brief's scenarios 2 and 5: in doubt, for a person to decide."""

TALK = (
    ("talk-1", "mara.l", "hey! saw you climb at the same hall as me"),
    ("talk-2", "user_borderline_002", "yes!! tuesdays and thursdays, you?"),
    ("talk-3", "mara.l", "mostly sundays. busy week though, might be slow to answer"),
    ("talk-4", "user_borderline_002", "no worries. so when do we climb together?"),
    ("talk-5", "user_borderline_002", "hello? you were online an hour ago"),
    ("talk-6", "user_borderline_002", GUILT),
    ("talk-7", "mara.l", "i was at work. i told you it is a busy week"),
)

DISGUISED = (
    "hey gorgeous, I made 4\u200b0\u200b0\u200b0 last week with cry\u200bpto, add me on Wh\u0430ts\u0430pp and I "
    "sh\u043ew y\u043eu how \U000e0073\U000e0061\U000e0066\U000e0065, only need a small sta\u200brt dep\u200bosit"
)

PRESSING = (
    ("lone-1", "glen_77", "You said no but I know you don't mean it. I'll keep asking until you give me one evening."),
    ("lone-2", "nia.k", "some days I really don't see the point of being here any more"),
    ("lone-3", "theo-w", "send me your number and your address so I can surprise you tonight"),
    (
        "lone-4",
        "luxe.vera",
        "successful entrepreneur, always traveling, telegram me for my gold tips",
    ),
    ("lone-5", "kai", "you are such a waste of time, typical"),
)


def seed(service: Service, *, held: int = 60) -> None:
    """Post a conversation, a disguised text, some single messages, and rows of writers that no training has seen."""
    at = datetime.now(UTC) - timedelta(hours=2)
    joined = (datetime.now(UTC) - timedelta(days=183)).isoformat()
    for number, (content_id, user_id, text) in enumerate(TALK):
        service.post(
            content_id,
            text,
            user_id,
            conversation_id="talk",
            timestamp=(at + timedelta(minutes=7 * number)).isoformat(),
            account_created_at=joined,
        )
    service.post("disguised", DISGUISED, "fast.cash.9", account_created_at=datetime.now(UTC).isoformat())
    for content_id, user_id, text in PRESSING:
        service.post(content_id, text, user_id)
    for sample in held_out(held):
        service.post(sample.id, sample.text, f"user-{sample.id}", content_type=sample.content_type.value)
