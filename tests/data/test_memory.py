"""Memory finds what is alike, keeps tenants apart, and forgets what people cleared."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from data.memory import Memory
from domain.memory import Collection
from domain.vocabulary import DecisionKind, Policy
from tests import factories


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    return Memory.open(tmp_path, None)


async def found(memory: Memory, collection: Collection, seed: int, app_id: str = "app_a") -> list[tuple[str, bool]]:
    precedents = await memory.search(collection, app_id=app_id, vector=factories.vector(seed), limit=5)
    return [(precedent.case_id, precedent.confirmed) for precedent in precedents]


async def test_an_empty_memory_finds_nothing(memory: Memory) -> None:
    for collection in Collection:
        assert await found(memory, collection, 1) == []
    assert await memory.search_policies(factories.vector(1), limit=3) == ()


async def test_the_most_alike_stands_first(memory: Memory) -> None:
    await memory.add([factories.memory_item(case_id=f"case_{seed}", seed=seed) for seed in range(1, 8)])
    [first, *_] = await memory.search(Collection.HISTORICAL_CASES, app_id="app_a", vector=factories.vector(3), limit=5)
    assert first.case_id == "case_3"
    assert first.similarity == pytest.approx(1, abs=1e-4)
    assert (first.decision, first.policy) == (DecisionKind.REJECTED, Policy.SCAMS)


async def test_approvals_are_history_and_no_violation(memory: Memory) -> None:
    await memory.add([factories.memory_item(case_id="fine", policy=None, kind=DecisionKind.APPROVED)])
    assert await found(memory, Collection.HISTORICAL_CASES, 1) == [("fine", False)]
    assert await found(memory, Collection.FLAGGED_CONTENT, 1) == []


async def test_a_confirmed_approval_clears_the_violation(memory: Memory) -> None:
    await memory.add([factories.memory_item(case_id="c")])
    assert await found(memory, Collection.FLAGGED_CONTENT, 1) == [("c", False)]
    cleared = factories.memory_item(case_id="c", policy=None, kind=DecisionKind.APPROVED, confirmed=True)
    await memory.add([cleared])
    assert await found(memory, Collection.FLAGGED_CONTENT, 1) == []
    assert await found(memory, Collection.HISTORICAL_CASES, 1) == [("c", True)]


async def test_remembering_twice_is_remembering_once(memory: Memory) -> None:
    items = [factories.memory_item(case_id="c"), factories.memory_item(case_id="c", confirmed=True)]
    await memory.add(items)
    await memory.add(items)
    assert await memory.count("app_a") == 1
    assert await found(memory, Collection.HISTORICAL_CASES, 1) == [("c", True)]


async def test_tenants_never_see_each_other(memory: Memory) -> None:
    await memory.add([factories.memory_item(app_id="app_a"), factories.memory_item(app_id="app_b", case_id="b")])
    await memory.add([factories.memory_item(app_id="app_a", case_id="mine", confirmed=True)])
    for collection in (Collection.FLAGGED_CONTENT, Collection.HISTORICAL_CASES):
        assert await found(memory, collection, 1, "app_b") == [("b", False)]
    for collection in Collection:
        assert await found(memory, collection, 1, "app_c") == []
    assert await found(memory, Collection.CONFIRMED_CASES, 1, "app_b") == []
    assert await found(memory, Collection.CONFIRMED_CASES, 1, "app_a") == [("mine", True)]


async def test_what_was_remembered_survives_a_restart(memory: Memory, tmp_path: Path) -> None:
    await memory.add([factories.memory_item(case_id="c")])
    assert await found(Memory.open(tmp_path, None), Collection.HISTORICAL_CASES, 1) == [("c", False)]


async def test_guidelines_are_replaced_as_a_whole(memory: Memory) -> None:
    await memory.index_policies([(Policy.SCAMS, "old", factories.vector(1))])
    await memory.index_policies(
        [(Policy.SPAM, "no adverts", factories.vector(1)), (Policy.HATE, "no hate", factories.vector(2))]
    )
    matches = await memory.search_policies(factories.vector(2), limit=5)
    assert [(match.policy, match.passage) for match in matches] == [
        (Policy.HATE, "no hate"),
        (Policy.SPAM, "no adverts"),
    ]


async def test_a_flood_of_unconfirmed_look_alikes_does_not_hide_what_people_confirmed(memory: Memory) -> None:
    confirmed = factories.memory_item(case_id="by_people", seed=1, confirmed=True)
    flood = [factories.memory_item(case_id=f"flood_{n}", seed=1) for n in range(50)]
    await memory.add([confirmed, *flood])
    assert await found(memory, Collection.CONFIRMED_CASES, 1) == [("by_people", True)]


async def test_vectors_of_another_model_are_kept_apart(tmp_path: Path) -> None:
    one, other = (Memory.open(tmp_path, None, space) for space in ("one", "other"))
    await one.add([factories.memory_item(case_id="a", seed=1)])
    assert await found(one, Collection.HISTORICAL_CASES, 1) == [("a", False)]
    assert await found(other, Collection.HISTORICAL_CASES, 1) == []
