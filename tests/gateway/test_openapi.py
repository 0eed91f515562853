"""The published description of the API: complete, true, and changed only on purpose.

After a change that is meant, `UPDATE_GOLDEN=1 python -m pytest tests/gateway/test_openapi.py` rewrites the golden
file; the change then shows in review.
"""

import json
import os
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from gateway.schemas import BatchRequest, ModerateRequest
from tests.gateway.asking import APPEALS, BATCH, MODERATE, REPORTS

GOLDEN = Path(__file__).parent.parent / "golden" / "openapi.json"
WITHOUT_KEY = {"/health", "/ready", "/metrics"}


def operations(web: FastAPI) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in web.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def test_the_description_is_the_one_that_was_agreed_on(web: FastAPI) -> None:
    described = json.dumps(web.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(described, "utf-8")
    assert json.loads(described) == json.loads(GOLDEN.read_text("utf-8")), "see the top of this file"


async def test_the_description_is_served(web: FastAPI, stranger: httpx2.AsyncClient) -> None:
    assert (await stranger.get("/openapi.json")).json() == web.openapi()


def test_every_operation_says_what_it_does(web: FastAPI) -> None:
    for name, operation in operations(web).items():
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name


def test_every_operation_describes_its_answer_and_its_errors(web: FastAPI) -> None:
    for name, operation in operations(web).items():
        path = name.split()[1]
        expected = {"401", "403", "422", "429", "500", "503"} if path not in WITHOUT_KEY else set()
        expected |= {"404"} if "_id}" in path or path in {APPEALS, REPORTS} else set()
        expected |= {"400", "409", "413"} if name.startswith("POST") else set()
        expected |= {"503"} if path == "/ready" else set()
        responses = operation["responses"]
        assert responses.keys() == {"200"} | expected, name
        for status in expected - ({"503"} if path == "/ready" else set()):
            shape = responses[status]["content"]["application/json"]["schema"]
            assert shape == {"$ref": "#/components/schemas/ErrorBody"}, f"{name} {status}"


def test_every_operation_tells_how_to_show_a_key(web: FastAPI) -> None:
    schemes = set(web.openapi()["components"]["securitySchemes"])
    assert len(schemes) == 2
    for name, operation in operations(web).items():
        shown = {scheme for entry in operation.get("security", []) for scheme in entry}
        assert shown == (set() if name.split()[1] in WITHOUT_KEY else schemes), name
        assert all(len(entry) == 1 for entry in operation.get("security", [])), "one of the two is enough"


@pytest.mark.parametrize("path", [MODERATE, BATCH])
async def test_the_examples_work(web: FastAPI, api: httpx2.AsyncClient, path: str) -> None:
    body = web.openapi()["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    examples = web.openapi()["components"]["schemas"][body.rsplit("/", 1)[1]]["examples"]
    assert examples
    for example in examples:
        assert (await api.post(path, json=example)).status_code == 200
        if path == BATCH:
            assert BatchRequest.model_validate(example)
            assert all(ModerateRequest.model_validate(item) for item in example["items"])


def test_the_idempotency_key_is_described(web: FastAPI) -> None:
    for path in (MODERATE, BATCH, APPEALS, REPORTS):
        (header,) = [one for one in web.openapi()["paths"][path]["post"]["parameters"] if one["in"] == "header"]
        assert (header["name"], header["in"], header["required"]) == ("Idempotency-Key", "header", False)


def test_every_reference_leads_somewhere(web: FastAPI) -> None:
    whole = web.openapi()
    text = json.dumps(whole)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in whole["components"]["schemas"], name
