"""A reading of an appeal as a language model would write it, for the browser suite and the screenshots."""

from sqlmodel import Session

from data import appeal_readings
from data.appeal_table import AppealRow
from data.database import engine_for
from domain.appeal import AppealFactor, AppealOutcome
from domain.appeal_reading import AppealQuote, FactorReading, QuotedFrom
from domain.signals import Evidence
from tests import factories
from tests.browser.serving import Service
from tests.readings import appeal_read

READING = factories.appeal_reading(
    says="The user says that the text is a quotation of what somebody else had written, sent to warn the reader.",
    record="The account was opened on the day of the text, and there is no earlier message that the text could quote.",
    policy="Nothing changed in the guideline since the decision, so the same rule applies today.",
    similar="There are no similar cases that people decided.",
    for_the_user="The guideline does not cover warnings, and the user names a day and a sender that can be looked up.",
    for_the_decision="The text addresses its reader, promises money and hides its words from filters; nothing in it "
    "marks it as a quotation.",
    open_questions=(
        "Did quick.cash.8 send this text to the user on Sunday at nine?",
        "Why would a quotation hide letters?",
    ),
    factors=(
        FactorReading(factor=AppealFactor.NEW_EVIDENCE, score=4, reason="It names a sender and an hour."),
        FactorReading(factor=AppealFactor.POLICY, score=2, reason="The rule covers the text as it stands."),
        FactorReading(factor=AppealFactor.EXPLANATION, score=2, reason="It does not fit the disguises."),
        FactorReading(factor=AppealFactor.HISTORY, score=None, reason="Nothing else is known of the user."),
    ),
    recommendation=AppealOutcome.UPHOLD,
    quotes=(
        AppealQuote(
            source=QuotedFrom.EXPLANATION, evidence=Evidence(start=0, end=0, quote="because I wanted to warn her")
        ),
        AppealQuote(
            source=QuotedFrom.NEW_EVIDENCE, evidence=Evidence(start=0, end=0, quote="He wrote it on Sunday at nine")
        ),
    ),
)


def keep_reading(service: Service, appeal_id: str) -> None:
    """Have it stand beside an appeal of a running service."""
    with Session(engine_for(service.settings.database, writing=True)) as session, session.begin():
        app_id = session.get_one(AppealRow, appeal_id).app_id
        if appeal_readings.of_appeal(session, app_id=app_id, appeal_id=appeal_id) is None:
            appeal_read(session, app_id=app_id, appeal_id=appeal_id, reading=READING, addresses=True)
