from collections.abc import Iterator
from pathlib import Path

import pytest

import data
from screening.language import LanguageDetector
from screening.model import EmbeddedModel
from screening.rules import Rules
from screening.screen import Screener

FOLDER = Path(data.__path__[0]) / "models" / "e5-small-v1"


@pytest.fixture(scope="session")
def model_folder() -> Path:
    return FOLDER


@pytest.fixture(scope="session")
def model() -> EmbeddedModel:
    return EmbeddedModel.load(FOLDER)


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules.load()


@pytest.fixture(scope="session")
def languages(model: EmbeddedModel) -> LanguageDetector:
    return LanguageDetector(("en", "es", "ru"), model.familiarity)


@pytest.fixture(scope="session")
def screener() -> Iterator[Screener]:
    made = Screener.load(FOLDER)
    yield made
    made.close()
