"""What stands on the other side of a socket in these tests: real servers, and a wire that can be cut."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field

import uvicorn
from mcp.server import MCPServer
from starlette.applications import Starlette

from evals.service import free_port
from mcp_servers import gateway
from mcp_servers.client import ServerName
from mcp_servers.guard import Guard

LONGEST_S = 20
"""Nothing here takes this long; what does has hung."""


class Uvicorn(uvicorn.Server):
    """A web server in the test's own loop that says when it is up and leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[object] | None = None) -> None:
        await super().startup(None)
        self.up.set()


@asynccontextmanager
async def on_the_web(app: object, port: int) -> AsyncIterator[str]:
    """`app` under uvicorn on `port`; gives its URL."""
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off", ws="none")  # type: ignore[arg-type]
    server = Uvicorn(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(LONGEST_S):
        await server.up.wait()
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


@asynccontextmanager
async def mcp_site(
    make_servers: Callable[[Guard], Mapping[ServerName, MCPServer]],
    make_guard: Callable[[str], Guard],
    port: int | None = None,
) -> AsyncIterator[str]:
    """MCP servers on the web as `cupidsshield mcp http` puts them there; gives the site's URL."""
    port = port or free_port()
    guard = make_guard(f"http://127.0.0.1:{port}")
    servers = make_servers(guard)
    app = Starlette(routes=gateway.routes(servers, guard, ["127.0.0.1:*"]))
    async with gateway.running(servers), on_the_web(app, port) as url:
        yield url


@dataclass
class Posted:
    """One HTTP request as it came."""

    head: str
    headers: dict[str, str]
    body: bytes


Answering = Callable[[Posted], bytes]


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole HTTP response."""
    given = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"HTTP/1.1 {status} So\r\n{lines}\r\n".encode("latin-1") + body


@dataclass
class Receiver:
    """An HTTP server made of bytes: notes each request, sends what `say` makes of it, and hangs up."""

    say: Answering
    posted: list[Posted] = field(default_factory=list)
    port: int = 0
    hold: bool = False
    """Whether the connection stays open after the answer, as an endless answer would keep it."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            self.posted.append(Posted(head, headers, body))
            writer.write(self.say(self.posted[-1]))
            await writer.drain()
            if self.hold:
                await reader.read()
        writer.close()


@asynccontextmanager
async def receiving(say: Answering, *, hold: bool = False) -> AsyncIterator[Receiver]:
    """A `Receiver` on a free port."""
    receiver = Receiver(say, hold=hold)
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


class Wire:
    """A TCP proxy whose behaviour can be changed while clients use it."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._treat: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] = self._pass
        self.port = free_port()

    async def mend(self) -> None:
        """Pass everything on."""
        await self._become(self._pass)

    async def reset(self) -> None:
        """Take connections and reset them once something was asked."""
        await self._become(self._reset)

    async def hang(self) -> None:
        """Take connections and never answer."""
        await self._become(self._hang)

    async def cut(self) -> None:
        """Pass on only the beginning of each answer: its head and a little of its body."""
        await self._become(self._cut)

    async def say(self, make: Answering) -> None:
        """Answer by oneself what `make` makes of each request."""
        await self._become(Receiver(make).handle)

    async def refuse(self) -> None:
        """Take no connections."""
        await self._hang_up()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _become(self, treat: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]) -> None:
        await self._hang_up()
        self._treat = treat
        if self._server is None:
            self._server = await asyncio.start_server(self._taken, "127.0.0.1", self.port)

    async def _hang_up(self) -> None:
        for writer in tuple(self._open):
            writer.transport.abort()
        self._open.clear()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with suppress(ConnectionError):
                await self._treat(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._through(reader, writer, limit=None)

    async def _cut(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._through(reader, writer, limit=20)

    async def _reset(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.transport.abort()

    async def _hang(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            pass

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limit: int | None) -> None:
        from_there, to_there = await asyncio.open_connection("127.0.0.1", self._to_port)

        async def there() -> None:
            while block := await reader.read(65_536):
                to_there.write(block)
                await to_there.drain()

        async def back() -> None:
            if limit is not None:
                head = await from_there.readuntil(b"\r\n\r\n")
                writer.write(head + await from_there.readexactly(limit))
                await writer.drain()
                return
            while block := await from_there.read(65_536):
                writer.write(block)
                await writer.drain()

        ways = [asyncio.create_task(there()), asyncio.create_task(back())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        to_there.close()


@asynccontextmanager
async def wire(to_port: int) -> AsyncIterator[Wire]:
    """A `Wire` to a port of this machine, whole at first."""
    made = Wire(to_port)
    await made.mend()
    yield made
    await made.refuse()


def all_of(names: Sequence[ServerName] = tuple(ServerName)) -> frozenset[ServerName]:
    """The servers by name."""
    return frozenset(names)
