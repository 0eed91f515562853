"""What one row of each known format says: the text, the policies it violates, and what groups it.

The meaning of the authors' labels is told in a table in `evals.public`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from domain.vocabulary import Policy
from evals.identities import CIVIL as CIVIL_IDENTITIES
from evals.identities import with_identity
from evals.judging import Text

Row = Mapping[str, Any]
SURE = 0.5
"""Share of annotators from which Civil Comments count a label as given."""

OPENAI: Mapping[str, tuple[Policy, ...]] = {
    "S": (Policy.INAPPROPRIATE,),
    "H": (Policy.HATE,),
    "V": (Policy.THREATS,),
    "HR": (Policy.HARASSMENT,),
    "SH": (Policy.SELF_HARM,),
    "S3": (Policy.INAPPROPRIATE, Policy.AGE_VERIFICATION),
    "H2": (Policy.HATE, Policy.THREATS),
    "V2": (Policy.THREATS,),
}
JIGSAW = {
    "toxic": Policy.HARASSMENT,
    "severe_toxic": Policy.HARASSMENT,
    "obscene": Policy.HARASSMENT,
    "insult": Policy.HARASSMENT,
    "threat": Policy.THREATS,
    "identity_hate": Policy.HATE,
}
CIVIL = {"identity_attack": Policy.HATE, "threat": Policy.THREATS, "sexual_explicit": Policy.INAPPROPRIATE}
NORMALISED = {
    "toxic": Policy.HARASSMENT,
    "harassment": Policy.HARASSMENT,
    "hate": Policy.HATE,
    "threat": Policy.THREATS,
    "sexual": Policy.INAPPROPRIATE,
    "scam": Policy.SCAMS,
    "spam": Policy.SPAM,
    "self_harm": Policy.SELF_HARM,
}
LANGUAGES = {
    "arabic": "ar",
    "dutch": "nl",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "mandarin": "zh",
    "polish": "pl",
    "portuguese": "pt",
    "spanish": "es",
}
_YES = frozenset({"1", "1.0", "true", "hateful", "bad", "toxic"})
_NO = frozenset({"0", "0.0", "false", "non-hateful", "not_bad", "nontoxic", "not toxic"})


@dataclass(frozen=True)
class Format:
    """`needs` are the fields by which it is known; `read` makes a text of a row, or None where its label is unknown."""

    needs: frozenset[str]
    read: Callable[[Row, bool], Text | None]


def _flag(row: Row, field: str) -> bool:
    value = str(row[field]).strip().lower()
    if value not in _YES | _NO:
        raise ValueError(f"{field} is {row[field]!r}, where 0 or 1 belongs")
    return value in _YES


def _share(row: Row, field: str) -> float:
    """A share of annotators in [0, 1]; 0 where a field is absent or blank, as identities nobody asked about are."""
    value = str(row.get(field, "")).strip()
    share = float(value) if value else 0.0
    if not 0 <= share <= 1:
        raise ValueError(f"{field} is {value}, where a share in [0, 1] belongs")
    return share


def _labelled(
    flags: Mapping[str, bool], meaning: Mapping[str, tuple[Policy, ...]], *, known: bool
) -> frozenset[str] | None:
    """The policies of the flags that are set; None where none is set and the row is not `known` to be clean."""
    labels = frozenset(str(policy) for name, is_set in flags.items() if is_set for policy in meaning[name])
    return labels if labels or known else None


def _openai(row: Row, unknown_as_clean: bool) -> Text | None:
    flags = {name: _flag(row, name) for name in OPENAI if row.get(name) is not None}
    labels = _labelled(flags, OPENAI, known=unknown_as_clean or len(flags) == len(OPENAI))
    return None if labels is None else Text(id="", text=str(row["prompt"]), labels=labels)


def _toxicchat(row: Row, _: bool) -> Text:
    labels = frozenset({str(Policy.INAPPROPRIATE)}) if _flag(row, "toxicity") else frozenset()
    jailbreaking = _flag(row, "jailbreaking" if "jailbreaking" in row else "jailbreak")
    return Text(id="", text=str(row["user_input"]), labels=labels, slice="jailbreaking" if jailbreaking else "")


def _jigsaw(row: Row, _: bool) -> Text | None:
    if all(str(row[name]).strip() == "-1" for name in JIGSAW):
        return None
    flags = {name: _flag(row, name) for name in JIGSAW}
    labels = frozenset(str(JIGSAW[name]) for name, is_set in flags.items() if is_set)
    return Text(id="", text=str(row["comment_text"]), labels=labels)


def _civil(text: str, score: str) -> Callable[[Row, bool], Text]:
    def read(row: Row, _: bool) -> Text:
        labels: set[str] = set()
        if _share(row, score) >= SURE:
            labels = {str(policy) for name, policy in CIVIL.items() if _share(row, name) >= SURE}
            labels = labels or {str(Policy.HARASSMENT)}
        named = [name for name in CIVIL_IDENTITIES if _share(row, name) >= SURE]
        return Text(id="", text=str(row[text]), labels=frozenset(labels), slice="+".join(named))

    return read


def _hatecheck(row: Row, _: bool) -> Text:
    key = str(row.get("mhc_case_id") or f"hatecheck-{row['case_id']}")
    language = key.partition("-")[0]
    return Text(
        id=key,
        text=str(row["test_case"]),
        labels=_hate(row, "label_gold"),
        group=f"{language}-{row['templ_id']}" if row.get("templ_id") else "",
        lang=LANGUAGES.get(language, "en"),
        slice=str(row["functionality"]),
    )


def _hatemoji(row: Row, _: bool) -> Text:
    return Text(
        id=f"hatemoji-{row['case_id']}",
        text=str(row["text"]),
        labels=_hate(row, "label_gold"),
        group=f"hatemoji-{row['test_group_id']}",
        slice=str(row["functionality"]),
    )


def _hate(row: Row, field: str) -> frozenset[str]:
    return frozenset({str(Policy.HATE)}) if _flag(row, field) else frozenset()


def _toxic(text: str, label: str, *, madlibs: bool) -> Callable[[Row, bool], Text]:
    def read(row: Row, _: bool) -> Text:
        labels = frozenset({str(Policy.HARASSMENT)}) if _flag(row, label) else frozenset()
        found = Text(id="", text=str(row[text]), labels=labels)
        return with_identity(found) if madlibs else found

    return read


def _normalised(row: Row, unknown_as_clean: bool) -> Text | None:
    told = row["labels"]
    flags = {name: _flag(told, name) for name in NORMALISED if told.get(name) is not None}
    labels = _labelled(flags, {k: (v,) for k, v in NORMALISED.items()}, known=unknown_as_clean or bool(flags))
    if labels is None:
        return None
    text = Text(
        id="",
        text=str(row["text"]),
        labels=labels,
        lang=LANGUAGES.get(str(told.get("lang", "")), "en"),
        slice=str(told.get("functionality", "")),
    )
    return with_identity(text) if str(row["source"]).startswith("bias_madlibs") else text


FORMATS: tuple[Format, ...] = (
    Format(frozenset({"text", "labels", "source", "split"}), _normalised),
    Format(frozenset({"prompt"}), _openai),
    Format(frozenset({"user_input", "toxicity", "jailbreaking"}), _toxicchat),
    Format(frozenset({"user_input", "toxicity", "jailbreak"}), _toxicchat),
    Format(frozenset({"comment_text", *JIGSAW}), _jigsaw),
    Format(frozenset({"comment_text", "target"}), _civil("comment_text", "target")),
    Format(frozenset({"comment_text", "toxicity"}), _civil("comment_text", "toxicity")),
    Format(frozenset({"text", "toxicity"}), _civil("text", "toxicity")),
    Format(frozenset({"functionality", "test_case", "label_gold", "case_id"}), _hatecheck),
    Format(frozenset({"functionality", "test_case", "label_gold", "mhc_case_id"}), _hatecheck),
    Format(frozenset({"text", "functionality", "label_gold", "case_id", "test_group_id"}), _hatemoji),
    Format(frozenset({"Text", "Label", "Template"}), _toxic("Text", "Label", madlibs=True)),
    Format(frozenset({"template", "toxicity", "phrase"}), _toxic("phrase", "toxicity", madlibs=True)),
    Format(frozenset({"text", "is_toxic"}), _toxic("text", "is_toxic", madlibs=False)),
)
