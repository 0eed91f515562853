import json
from pathlib import Path

import pytest

import data
from screening.screen import DEFAULT_MODEL

MODEL = Path(data.__path__[0]) / "models" / DEFAULT_MODEL
ROWS = (
    ("clean", None, False, False, "Did you get home all right? The rain was something else tonight."),
    ("clean", None, False, False, "My sister keeps two goats and a donkey, so weekends are never quiet."),
    ("clean", None, False, True, "I would kill for one of those tacos again, honestly the best in town."),
    ("clean", None, False, True, "My bank blocked the card again, so dinner is on you this one time."),
    ("scams", "critical", False, False, "Send me 500 dollars by gift card today and I will double your money."),
    ("scams", "high", False, False, "Move to WhatsApp, I show you my crypto platform, profit is guaranteed."),
    ("hate", "high", False, False, "People from your country are vermin and should all be thrown out of here."),
    ("threats", "high", False, False, "I know where you live and I will hurt you when you come home tonight."),
    ("harassment", "low", True, False, "Wow, three days without an answer, you must be so very important."),
    ("spam", "medium", False, False, "Follow my page @bestdeals, link in bio, 50% off for the first hundred!!!"),
)


@pytest.fixture
def model_folder() -> Path:
    return MODEL


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """A corpus of ten rows, each twice and of a scenario of its own, by the writers `wa` (English) and `wb`."""
    folder = tmp_path / "corpus"
    (folder / "rows").mkdir(parents=True)
    for writer, lang in (("wa", "en"), ("wb", "de")):
        lines = [
            {
                "id": f"{writer}-{number:04}",
                "scenario": f"{writer}-s{number}",
                "writer": writer,
                "kind": "message",
                "text": text,
                "policy": policy,
                "also": ["spam"] if severity == "critical" else [],
                "severity": severity,
                "borderline": borderline,
                "hard": hard,
                "lang": lang,
            }
            for number, (policy, severity, borderline, hard, text) in enumerate(ROWS)
        ]
        (folder / "rows" / f"{writer}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "splits.yaml").write_text("train: [wx]\ncalibration: [wy]\ntest: [wa, wb]\n")
    return folder
