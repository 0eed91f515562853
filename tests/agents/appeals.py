"""An appeal that a model is asked about, an answer that can be used, and what a model may do wrong instead."""

import json
from typing import Any

from agents.appeals import AppealDossier
from agents.material import Piece, Wording
from domain.appeal import AppealFactor
from domain.vocabulary import Policy
from tests.agents.model_server import FAULTS, Fault, says

DECIDED = "Send me money on WhatsApp for crypto investment!"
EXPLANATION = "I was quoting what somebody had written to me, because I wanted to warn her about him."
READ: dict[str, Any] = {
    "says": "The user says that the text is a quotation of another member, sent to warn the reader.",
    "record": "The record shows no other text of the user and nothing of the conversation.",
    "policy": "Nothing changed in the guideline since the decision.",
    "similar": "There are no similar cases that people decided.",
    "for_the_user": "A quotation that warns of a scam is not an attempt at one, and the guideline says so.",
    "for_the_decision": "The text itself is a plain request for money, and nothing in it marks it as a quotation.",
    "open_questions": ["Did the user receive this text from another member before?"],
    "new_evidence": {"score": None, "reason": "No evidence was offered."},
    "policy_misinterpretation": {"score": 4, "reason": "A warning is not covered."},
    "explanation": {"score": 4, "reason": "It is coherent and fits the text."},
    "history": {"score": None, "reason": "Nothing else is known of the user."},
    "quotes": ["to warn her about him", "Send me money"],
    "recommendation": "overturn",
}


def dossier(**changed: Any) -> AppealDossier:
    known: dict[str, Any] = {
        "app_id": "app",
        "decided": Wording(DECIDED, DECIDED),
        "explanation": Wording(EXPLANATION, EXPLANATION),
        "new_evidence": None,
        "policies": (Policy.SCAMS,),
        "weighable": frozenset({AppealFactor.POLICY, AppealFactor.EXPLANATION}),
        "facts": ("The text is a message in a dating app.",),
        "others": (Piece("Why it was decided so, as the record has it", "It asks for money."),),
    }
    return AppealDossier(**{**known, **changed})


def answered(**other: Any) -> Fault:
    return says(json.dumps({**READ, **other}))


APPEAL_FAULTS: dict[str, Fault] = {
    **{name: FAULTS[name] for name in ("hangs", "slow drip", "429", "500", "401", "refusal", "empty", "null", "10 MB")},
    **{name: FAULTS[name] for name in ("cut short", "connection reset", "broken off", "not HTTP")},
    "truncated JSON": says(json.dumps(READ)[:200]),
    "an opinion instead": says(json.dumps({"reading": "fine", "certainty": 5})),
    "wrong enum": answered(recommendation="grant"),
    "score out of range": answered(explanation={"score": 9, "reason": "It is coherent."}),
    "NaN": says(json.dumps(READ).replace('"score": 4', '"score": NaN')),
    "extra field": answered(decide="overturn"),
    "too many quotes": answered(quotes=["Send"] * 9),
    "a quote that does not occur": answered(quotes=["I have proof"]),
    "evidence from nowhere": answered(new_evidence={"score": 5, "reason": "The screenshot proves it."}),
    "a contradiction": answered(recommendation="uphold"),
    "wrong language": answered(says="Die Nutzerin sagt, dass der Text ein Zitat war."),
}
