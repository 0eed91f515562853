"""A server that speaks the protocols of OpenAI and Ollama on a local port, truly, and misbehaves on demand."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

FINE = {
    "reading": "fine",
    "policy": None,
    "severity": None,
    "certainty": 5,
    "factors": ["unambiguous_language"],
    "quotes": [],
    "needs": "nothing",
    "reasoning": "The text is an ordinary question about a hobby and asks for nothing.",
}
MB = 1_048_576

Writer = asyncio.StreamWriter
Fault = Callable[["ModelServer", Writer, str], Awaitable[None]]


@dataclass
class ModelServer:
    """Answers every question with `answer`, in the protocol of its address, unless a `fault` is set."""

    answer: Any = field(default_factory=lambda: dict(FINE))
    fault: Fault | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    port: int = 0
    open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def openai(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def ollama(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def body(self, path: str, content: str | None, **message: Any) -> bytes:
        """A whole answer of the protocol of `path` that says `content`."""
        if path == "/api/chat":
            return b"".join(streamed(content))
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": content, "refusal": None, **message},
            "finish_reason": "stop",
        }
        usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
        said = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
        return json.dumps(said).encode()

    async def handle(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        """One connection, for as long as it lasts."""
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                path = head.split(" ", 2)[1].removeprefix("/v1")
                size = next(int(v) for k, _, v in map(_header, head.splitlines()) if k == "content-length")
                self.asked.append(json.loads(await reader.readexactly(size)))
                if self.fault:
                    await self.fault(self, writer, path)
                else:
                    await send(writer, self.body(path, json.dumps(self.answer)))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self.open.discard(task)
            writer.close()


def streamed(content: str) -> list[bytes]:
    """What Ollama sends: a line for each piece of what it says, then one that says that it is done."""
    size = max(len(content) // 5, 1)
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    done = {"done_reason": "stop", "prompt_eval_count": 100, "eval_count": 20}
    return [*(_line(piece, done=False) for piece in pieces), _line("", done=True, **done)]


def _line(content: str, **more: Any) -> bytes:
    message = {"role": "assistant", "content": content}
    said = {"model": "m", "created_at": "2026-11-28T00:00:00Z", "message": message, **more}
    return json.dumps(said).encode() + b"\n"


def _header(line: str) -> tuple[str, str, str]:
    name, colon, value = line.partition(":")
    return name.strip().lower(), colon, value.strip()


async def send(writer: Writer, body: bytes, status: str = "200 OK", size: int | None = None) -> None:
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size or len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


def status(line: str) -> Fault:
    async def fault(server: ModelServer, writer: Writer, path: str) -> None:
        await send(writer, b'{"error": {"message": "no", "type": "server_error"}}', line)

    return fault


def says(content: str, **message: Any) -> Fault:
    async def fault(server: ModelServer, writer: Writer, path: str) -> None:
        await send(writer, server.body(path, content, **message))

    return fault


def says_other(**other: Any) -> Fault:
    return says(json.dumps({**FINE, **other}))


async def hangs(server: ModelServer, writer: Writer, path: str) -> None:
    await asyncio.Event().wait()


async def drips(server: ModelServer, writer: Writer, path: str) -> None:
    """One byte at a time: no pause is ever long, and it never ends."""
    body = server.body(path, json.dumps(FINE))
    await send(writer, b"", size=len(body) * 1_000)
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def resets(server: ModelServer, writer: Writer, path: str) -> None:
    writer.transport.abort()
    raise ConnectionResetError


async def breaks_off(server: ModelServer, writer: Writer, path: str) -> None:
    """The connection ends in the middle of the body."""
    body = server.body(path, json.dumps(FINE))
    await send(writer, body[: len(body) // 2], size=len(body))
    raise ConnectionResetError


async def stops_early(server: ModelServer, writer: Writer, path: str) -> None:
    """The answer ends in the middle, and the connection as it should."""
    if path == "/api/chat":
        lines = streamed(json.dumps(FINE))
        await send(writer, b"".join(lines[: len(lines) // 2]))
    else:
        await send(writer, server.body(path, json.dumps(FINE))[:200])


async def crashes(server: ModelServer, writer: Writer, path: str) -> None:
    """The model dies while it answers; the server says so, with a status of 200 that it has already sent."""
    if path == "/api/chat":
        await send(writer, b"".join(streamed(json.dumps(FINE))[:3]) + b'{"error": "the model runner has stopped"}\n')
    else:
        await send(writer, b'{"error": {"message": "the model runner has stopped", "type": "server_error"}}')


async def refuses(server: ModelServer, writer: Writer, path: str) -> None:
    refusal = "I'm sorry, I can't help with that."
    if path == "/api/chat":
        await send(writer, server.body(path, refusal))
    else:
        await send(writer, server.body(path, None, refusal=refusal))


async def is_cut_short(server: ModelServer, writer: Writer, path: str) -> None:
    """The model ran out of tokens."""
    body = server.body(path, json.dumps(FINE)[:60]).replace(b'"finish_reason": "stop"', b'"finish_reason": "length"')
    await send(writer, body.replace(b'"done_reason": "stop"', b'"done_reason": "length"'))


FAULTS: dict[str, Fault] = {
    "hangs": hangs,
    "slow drip": drips,
    "429": status("429 Too Many Requests"),
    "500": status("500 Internal Server Error"),
    "401": status("401 Unauthorized"),
    "404": status("404 Not Found"),
    "truncated JSON": says(json.dumps(FINE)[:60]),
    "cut short": is_cut_short,
    "stops early": stops_early,
    "crashes": crashes,
    "NaN": says(json.dumps(FINE).replace('"certainty": 5', '"certainty": NaN')),
    "wrong enum": says_other(reading="safe"),
    "certainty out of range": says_other(certainty=99),
    "extra field": says_other(approve=True),
    "10 MB": says_other(reasoning="the text is fine and " + "a" * (10 * MB)),
    "refusal": refuses,
    "empty": says(""),
    "null": says("null"),
    "a list": says(json.dumps([FINE])),
    "wrong language": says_other(reasoning="这条消息没有违反任何规定，只是普通的聊天内容。"),
    "another wrong language": says_other(reasoning="Der Text ist eine ganz gewöhnliche Frage nach einem Hobby."),
    "no reasons": says_other(reasoning=""),
    "a quote that does not occur": says_other(quotes=["send me the money"]),
    "a violation without a policy": says_other(reading="violates", policy=None, severity="high"),
    "another's policy": says_other(reading="violates", policy="self_harm", severity="high", quotes=["hiking"]),
    "lone surrogate": says(json.dumps(FINE).replace("ordinary", "\\ud800 the and of")),
    "connection reset": resets,
    "broken off": breaks_off,
    "not HTTP": status("banana"),
}


@asynccontextmanager
async def serving(server: ModelServer | None = None) -> AsyncIterator[ModelServer]:
    """The server, for the length of the block."""
    server = server or ModelServer()
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for connection in tuple(server.open):
            connection.cancel()
        await asyncio.sleep(0)
