"""kill -9 at random moments of 1,000 submissions loses nothing that was acknowledged (I1, I2, I5)."""

import asyncio
import random
import sqlite3
from collections import Counter
from pathlib import Path

import httpx2
import pytest

from cupidsshield.samples import held_out
from evals.service import RunningService, environment, free_port, make_key, start

SUBMISSIONS = 1_000
KILLS = 6
AT_ONCE = 8

pytestmark = pytest.mark.slow


class Client:
    """Submits everything, each up to a few times, and remembers what was acknowledged."""

    def __init__(self, service: RunningService) -> None:
        self.service = service
        self.acknowledged: dict[str, set[tuple[str, str]]] = {}
        self.up = asyncio.Event()
        self.up.set()

    async def submit(self, http: httpx2.AsyncClient, number: int, text: str) -> None:
        """Post one message until it is acknowledged, as an app's retry loop would."""
        content_id = f"crash-{number}"
        body = {"content_id": content_id, "content": text, "user_id": f"user-{number % 50}"}
        for _ in range(200):
            await self.up.wait()
            try:
                response = await http.post("/api/v1/moderate", json=body)
            except httpx2.TransportError:
                await asyncio.sleep(0)
                continue
            if response.status_code == 200:
                answer = response.json()
                said = (answer["case_id"], answer["decision"])
                self.acknowledged.setdefault(content_id, set()).add(said)
                return
            assert response.status_code == 503, response.text
        raise AssertionError(f"{content_id} was never acknowledged")


async def storm(service: RunningService, env: dict[str, str], port: int, seed: int) -> Client:
    client, chance = Client(service), random.Random(seed)
    texts = [sample.text for sample in held_out(400)]
    numbers = [number for number in range(SUBMISSIONS) for _ in range(chance.choice((1, 1, 1, 2)))]
    chance.shuffle(numbers)
    queue = iter(numbers)
    headers = {"X-API-Key": service.key}
    async with httpx2.AsyncClient(base_url=service.url, headers=headers, timeout=30) as http:

        async def worker() -> None:
            for number in queue:
                await client.submit(http, number, texts[number % len(texts)])

        async def killer() -> None:
            for kill in range(1, KILLS + 1):
                while len(client.acknowledged) < kill * SUBMISSIONS // (KILLS + 2):
                    await asyncio.sleep(chance.uniform(0.001, 0.02))
                client.up.clear()
                service.kill()
                service.process = await asyncio.to_thread(start, env, port)
                client.up.set()

        await asyncio.gather(killer(), *(worker() for _ in range(AT_ONCE)))
    return client


def test_every_acknowledged_submission_survives_kill_9(tmp_path: Path) -> None:
    env, port = environment(tmp_path, rate_limit="1000000/second"), free_port()
    service = RunningService(start(env, port), f"http://127.0.0.1:{port}", make_key(env))
    try:
        client = asyncio.run(storm(service, env, port, seed=20_261_121))
    finally:
        service.kill()

    store = sqlite3.connect(tmp_path / "cupidsshield.db")
    cases = dict(store.execute("SELECT content_id, id FROM moderation_cases").fetchall())
    per_content = Counter(row[0] for row in store.execute("SELECT content_id FROM moderation_cases"))
    decided = Counter(
        row[0] for row in store.execute("SELECT case_id FROM audit_log WHERE action = 'decision.recorded'")
    )
    waiting = {row[0] for row in store.execute("SELECT case_id FROM review_queue")}
    escalated = {row[0] for row in store.execute("SELECT id FROM moderation_cases WHERE decision = 'escalated'")}
    store.close()

    assert len(client.acknowledged) == SUBMISSIONS
    for content_id, said in client.acknowledged.items():
        assert len(said) == 1, f"{content_id} was given different answers: {said}"
        assert cases[content_id] == next(iter(said))[0]
    assert set(per_content.values()) == {1}
    assert decided == Counter(cases.values()), "each decision has exactly one audit row"
    assert escalated == waiting, "what people must look at waits for them"
