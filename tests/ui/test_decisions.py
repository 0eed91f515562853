"""The pages that users reach by a signed link: the reasons, the appeal, its outcome; for nobody else, and no script."""

from datetime import timedelta
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from sqlmodel import Session, col, select, update

from cupidsshield.bootstrap import House
from data import appeals, claims, outbox
from data.appeal_table import AppealRow
from data.review_table import ReviewRow
from domain.appeal import Appeal, AppealDecision, AppealOutcome
from domain.clock import now
from domain.errors import NotFound, ToolUnavailable
from domain.ids import new_id
from domain.staff import Role
from domain.submission import Submission
from tests import factories
from tests.ui.browsing import TOKEN, Browser
from ui.appeal_decisions import decide_appeal
from ui.links import DecisionLinks

SCAM = "Send me money on WhatsApp for crypto <b>investment</b>!"
GOOD = "I was quoting what somebody had written to me, because I wanted to warn her about him."
CLOSED = "This link does not open"


class Letter:
    """One decision about one user, and the page about it."""

    def __init__(self, browser: Browser, house: House, app_id: str, case_id: str) -> None:
        self.browser, self.house, self.app_id, self.case_id = browser, house, app_id, case_id
        self.path = f"/decisions/{house.links.token(app_id, case_id)}"

    async def read(self) -> str:
        page = await self.browser.get(self.path)
        assert page.status_code == 200, page.text
        return str(page.text)

    async def send(self, explanation: str = GOOD, **fields: str) -> Any:
        token = TOKEN.search(await self.read())
        assert token, "there is a form"
        return await self.browser.post(self.path, data={"csrf": token[1], "explanation": explanation, **fields})

    async def appeal(self) -> Appeal | None:
        return await self.house.database.read(
            lambda session: appeals.for_case(session, app_id=self.app_id, case_id=self.case_id)
        )


async def written(browser: Browser, house: House, text: str = SCAM) -> Letter:
    app_id = new_id("app")
    content = factories.content(text, app_id=app_id)
    answer = await house.runs.moderate(Submission(content=content), factories.agent(app_id))
    # The app of a tenant has a row of its own in life; here the identifier is enough.
    return Letter(browser, house, app_id, answer.case_id)


class TestReading:
    async def test_it_says_what_why_by_whom_and_what_one_can_do(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        text = await letter.read()
        for said in (
            "breaks one of our rules",
            "Scams and fraud",
            "decided without a person",
            "What did we get wrong?",
        ):
            assert said in text

    async def test_what_the_user_wrote_is_text_and_nothing_else(self, stranger: Browser, house: House) -> None:
        text = await (await written(stranger, house)).read()
        assert "&lt;b&gt;investment&lt;/b&gt;" in text
        assert "<b>investment" not in text

    async def test_no_script_is_needed_and_none_is_there(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        page = await stranger.get(letter.path)
        assert "<script" not in page.text
        assert "style=" not in page.text
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] in ("same-origin", "no-referrer")
        assert "script-src" in page.headers["content-security-policy"]

    async def test_the_link_is_in_the_message_to_the_user(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        owed = await house.database.read(
            lambda session: outbox.find(session, app_id=letter.app_id, status=None, case_id=letter.case_id, limit=9)
        )
        [to_user] = [entry.message for entry in owed if entry.message.audience == "user"]
        url = str(to_user.payload["statement_url"])
        assert url in to_user.body
        assert (await stranger.get(url)).status_code == 200


class TestAppealing:
    async def test_an_appeal_is_sent_and_its_status_shown(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        sent = await letter.send(new_evidence="She asked at 18:02, two messages before mine.")
        assert (sent.status_code, sent.headers["location"]) == (303, f"{letter.path}#appeal")
        kept = await letter.appeal()
        assert kept is not None
        assert (kept.explanation, kept.new_evidence) == (GOOD, "She asked at 18:02, two messages before mine.")
        text = await letter.read()
        assert "We have it" in text
        assert "What did we get wrong?" not in text, "once is enough"

    @pytest.mark.parametrize("explanation", ["", "you are idiots, all of you, really", "it wasn't me, I swear to you"])
    async def test_advice_comes_first_and_whoever_wants_to_sends_it_as_it_is(
        self, stranger: Browser, house: House, explanation: str
    ) -> None:
        letter = await written(stranger, house)
        advised = await letter.send(explanation, new_evidence="trust me")
        assert advised.status_code == 200, "advice is no error"
        assert "Before you send it, this might help" in advised.text
        assert "trust me" in advised.text, "nothing that was typed is lost"
        assert await letter.appeal() is None
        sent = await letter.send(explanation, anyway="yes")
        assert sent.status_code == 303
        assert await letter.appeal() is not None

    async def test_what_was_typed_is_not_lost_where_it_cannot_be_kept(
        self, stranger: Browser, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def down(**_: object) -> None:
            raise ToolUnavailable("database", "down")

        letter = await written(stranger, house)
        monkeypatch.setattr(house.appeals, "file", down)
        answer = await letter.send()
        assert answer.status_code == 503
        assert GOOD in answer.text
        assert "still here" in answer.text

    async def test_a_second_one_is_told_that_the_first_is_there(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        token = TOKEN.search(await letter.read())
        assert token
        first, second = [
            await stranger.post(letter.path, data={"csrf": token[1], "explanation": text})
            for text in (GOOD, f"{GOOD} And more.")
        ]
        assert (first.status_code, second.status_code) == (303, 422)
        assert "appealed already" in second.text

    async def test_it_is_only_taken_from_the_page_itself(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        await letter.read()
        assert (await stranger.post(letter.path, data={"explanation": GOOD})).status_code == 403
        foreign = await stranger.post(
            letter.path, data={"explanation": GOOD}, headers={"Origin": "https://elsewhere.test"}
        )
        assert foreign.status_code == 403
        assert await letter.appeal() is None

    async def test_from_the_link_to_the_reversed_ban(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        await letter.send()
        sam = factories.staff("sam_the_senior", role=Role.SENIOR, app_ids=(letter.app_id,))
        await self.overturned(letter, sam)
        assert "We have it" in await letter.read(), "not told while it can be undone"
        earlier = {"resolved_at": now() - timedelta(minutes=1)}
        await house.database.write(
            lambda session: session.execute(
                update(AppealRow).where(col(AppealRow.case_id) == letter.case_id).values(**earlier)
            )
        )
        text = await letter.read()
        assert "We got this wrong, and we are sorry" in text
        assert "He was quoting." in text
        assert "sam_the_senior" not in text

    @staticmethod
    async def overturned(letter: Letter, staff: Any) -> None:
        row = await letter.house.database.read(
            lambda session: session.exec(
                select(ReviewRow).where(ReviewRow.case_id == letter.case_id, ReviewRow.kind == "appeal")
            ).one()
        )

        def claim(session: Session) -> int:
            return claims.claim(session, staff=staff, review_id=row.id, lease=timedelta(minutes=5)).epoch

        await decide_appeal(
            letter.house.ui_parts(),
            staff=staff,
            app_id=letter.app_id,
            review_id=row.id,
            epoch=await letter.house.database.write(claim),
            decision=AppealDecision(
                appeal_id=row.appeal_id or "",
                reviewer=staff.id,
                outcome=AppealOutcome.OVERTURN,
                reasoning="He was quoting.",
            ),
        )


class TestLinks:
    async def test_what_is_not_a_good_link_gets_one_friendly_page(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        secret = house.ui_parts().secret
        good = letter.path.rsplit("/", 1)[1]
        other_purpose = TimestampSigner(secret, salt="another purpose").sign(good.rsplit(".", 2)[0]).decode()
        other_secret = DecisionLinks("x" * 40, "https://us.test", timedelta(days=1)).token(
            letter.app_id, letter.case_id
        )
        pages = [
            (await stranger.get(f"/decisions/{token}"))
            for token in (
                "nonsense",
                good[:-3],
                good[:-1] + ("A" if good[-1] != "A" else "E"),
                "A" + good,
                other_purpose,
                other_secret,
                house.links.token("app_of_somebody_else", letter.case_id),
                house.links.token(letter.app_id, "case_of_nobody"),
            )
        ]
        assert {page.status_code for page in pages} == {404}
        assert all(CLOSED in page.text for page in pages)
        assert len({page.text for page in pages}) == 1, "nothing tells one from another"

    async def test_nothing_is_taken_by_a_bad_link_either(self, stranger: Browser, house: House) -> None:
        letter = await written(stranger, house)
        token = TOKEN.search(await letter.read())
        assert token
        bad = await stranger.post("/decisions/nonsense", data={"csrf": token[1], "explanation": GOOD})
        assert (bad.status_code, CLOSED in bad.text) == (404, True)

    def test_links_expire(self, house: House) -> None:
        secret = house.ui_parts().secret
        token = house.links.token("app_a", "case_1")
        assert DecisionLinks(secret, "", timedelta(days=1)).opened(token).case_id == "case_1"
        with pytest.raises(NotFound):
            DecisionLinks(secret, "", timedelta(seconds=-1)).opened(token)

    async def test_one_link_is_not_opened_for_ever(self, stranger: Browser, house: House) -> None:
        letter, other = await written(stranger, house), await written(stranger, house)
        statuses = [(await stranger.get(letter.path)).status_code for _ in range(40)]
        assert statuses[0] == 200
        assert statuses[-1] == 429
        assert (await stranger.get(other.path)).status_code == 200, "each link for itself"
