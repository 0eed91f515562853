"""Each MCP server in turn dies and comes back: people decide, callers are told to wait, nothing is lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from evals.service import RunningService, environment, free_port, make_key, start

pytestmark = pytest.mark.slow

TOKEN = "a-service-token-for-tests-only"
CLEAN = "I love hiking! What trails do you recommend?"
DOUBTFUL = "I've been investing in crypto and doing well..."
SCAM = "Send me money on WhatsApp for crypto investment!"


class Arrangement:
    """A service whose server `name` runs in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name, self.remote_port, port = name, free_port(), free_port()
        setting = f"mcp_{name.replace('-', '_')}_url"
        remote = f"http://127.0.0.1:{self.remote_port}/mcp/{name}"
        self.main_env = environment(folder, service_token=TOKEN, **{setting: remote})
        self.remote_env = environment(folder, service_token=TOKEN)
        if name == "moderation":
            self.remote_env |= environment(
                folder, service_token=TOKEN, mcp_vector_search_url=f"http://127.0.0.1:{port}/mcp/vector-search"
            )
        self.remote = start(self.remote_env, self.remote_port, "mcp", "http", name)
        self.service = RunningService(start(self.main_env, port), f"http://127.0.0.1:{port}", make_key(self.main_env))
        self.count = 0

    def kill_remote(self) -> None:
        self.remote.kill()
        self.remote.wait()

    def revive_remote(self) -> None:
        self.remote = start(self.remote_env, self.remote_port, "mcp", "http", self.name)

    def post(self, text: str) -> httpx2.Response:
        self.count += 1
        body = {"content": text, "user_id": "u1", "content_id": f"{self.name}-{self.count}"}
        return httpx2.post(
            f"{self.service.url}/api/v1/moderate", json=body, headers={"X-API-Key": self.service.key}, timeout=20
        )

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.service.url}{path}", headers={"X-API-Key": self.service.key}, timeout=20)

    def stop(self) -> None:
        for process in (self.service.process, self.remote):
            if process.poll() is None:
                process.terminate()
                process.wait(timeout=30)


@contextmanager
def arranged(folder: Path, name: str) -> Iterator[Arrangement]:
    arrangement = Arrangement(folder, name)
    try:
        yield arrangement
    finally:
        arrangement.stop()


def test_without_screening_every_message_goes_to_a_person(tmp_path: Path) -> None:
    with arranged(tmp_path, "moderation") as it:
        assert it.post(CLEAN).json()["decision"] == "approved"
        it.kill_remote()
        for text in (CLEAN, DOUBTFUL, SCAM):
            answer = it.post(text).json()
            assert answer["decision"] == "escalated"
            case = it.get(f"/api/v1/cases/{answer['case_id']}").json()
            assert "moderation" in case["assessment"]["unavailable"]
        it.revive_remote()
        assert it.post(CLEAN).json()["decision"] == "approved"
        assert it.post(SCAM).json()["decision"] == "rejected"


def test_without_memory_clear_messages_pass_and_the_rest_goes_to_a_person(tmp_path: Path) -> None:
    with arranged(tmp_path, "vector-search") as it:
        assert it.post(SCAM).json()["decision"] == "rejected"
        it.kill_remote()
        assert it.post(CLEAN).json()["decision"] == "approved"
        for text in (DOUBTFUL, SCAM):
            answer = it.post(text).json()
            assert answer["decision"] == "escalated"
            case = it.get(f"/api/v1/cases/{answer['case_id']}").json()
            assert case["assessment"]["unavailable"] == ["vector-search"]
        it.revive_remote()
        assert it.post(SCAM).json()["decision"] == "rejected"


def test_without_the_database_nothing_is_acknowledged_and_nothing_is_lost(tmp_path: Path) -> None:
    with arranged(tmp_path, "database") as it:
        kept = it.post(CLEAN).json()
        it.kill_remote()
        for text in (CLEAN, DOUBTFUL, SCAM):
            response = it.post(text)
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1
            assert response.json()["error"]["code"] == "tool_unavailable"
        assert it.get("/ready").status_code == 503
        it.revive_remote()
        assert it.get(f"/api/v1/cases/{kept['case_id']}").json()["decision"] == kept["decision"]
        assert it.post(SCAM).json()["decision"] == "rejected"
        assert len(it.get("/api/v1/cases").json()["cases"]) == 2


def test_without_notifications_the_decision_stands_and_its_messages_wait(tmp_path: Path) -> None:
    with arranged(tmp_path, "notifications") as it:
        it.kill_remote()
        answer = it.post(SCAM).json()
        assert answer["decision"] == "rejected"
        assert it.get("/api/v1/notifications").status_code == 503
        it.revive_remote()
        told = messages_when_delivered(it, answer["case_id"])
        assert {entry["message"]["audience"] for entry in told} == {"user", "app"}


def messages_when_delivered(it: Arrangement, case_id: str) -> list[dict[str, dict[str, str]]]:
    """The case's messages, once all of them were delivered; the delivery worker needs no push."""
    for _ in range(400):
        entries = [
            entry for entry in it.get("/api/v1/notifications").json()["notifications"] if entry["case_id"] == case_id
        ]
        if entries and all(entry["status"] == "delivered" for entry in entries):
            return entries
    raise AssertionError("the messages were never delivered")
