"""The models that can be asked: OpenAI and every server that speaks its protocol, and Ollama.

Their packages are imported when one is made, not before. Each call is asked once, without retries of its own, reads no
more than `LARGEST_ANSWER`, and every way of failing becomes one of two errors: nothing came, or nothing usable.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agents.judge import Question, Reply
from domain.errors import ModelUnavailable, UnusableAnswer
from domain.opinion import Usage

Form = TypeVar("Form", bound=BaseModel)

LARGEST_ANSWER = 262_144
"""Bytes of one HTTP response. An opinion has about a thousand; a server that sends more is broken or hostile."""

MOST_OUTPUT_TOKENS = 700
MILLION = 1_000_000
PROVIDERS = ("openai", "ollama")
NEEDED = "asking language models needs the packages of the extra 'agents': pip install '.[agents]'"


@dataclass(frozen=True)
class ModelChoice:
    """Which model to ask: `openai:<model>` (any server of that protocol) or `ollama:<model>`; prices are per million
    tokens. `url` empty: the provider's own address. `most_tokens` is how long its answer may be."""

    model: str
    url: str = ""
    key: str = ""
    price_in: float = 0.0
    price_out: float = 0.0
    timeout_s: float = 6.0
    most_tokens: int = MOST_OUTPUT_TOKENS


def made(choice: ModelChoice) -> "LanguageModel":
    """The model of a choice. Raises ModelUnavailable where the provider is unknown or its package is not installed."""
    provider, _, name = choice.model.partition(":")
    if provider not in PROVIDERS or not name:
        raise ModelUnavailable(f"'{choice.model}' names no model; expected openai:<model> or ollama:<model>")
    try:
        clients = _openai(choice, name) if provider == "openai" else _ollama(choice, name)
    except ImportError as error:
        raise ModelUnavailable(NEEDED) from error
    return LanguageModel(choice, clients)


@dataclass(frozen=True)
class Clients:
    """How a provider's models are reached: the chat model for a temperature, and what ends all connections."""

    of: Callable[[float], Any]
    close: Callable[[], Awaitable[None]]


class LanguageModel:
    """One model behind one address, as a `Judge`."""

    def __init__(self, choice: ModelChoice, clients: Clients) -> None:
        self._choice = choice
        self._clients = clients

    async def close(self) -> None:
        """End its connections."""
        await self._clients.close()

    @property
    def name(self) -> str:
        """Provider and model, as it was chosen."""
        return self._choice.model

    def cost_of(self, input_tokens: int, output_tokens: int) -> float:
        """What so many tokens cost at the prices that were set."""
        return (input_tokens * self._choice.price_in + output_tokens * self._choice.price_out) / MILLION

    async def ask(self, question: Question[Form]) -> Reply[Form]:
        """Ask once, within `timeout_s`. Raises ModelUnavailable or UnusableAnswer."""
        from langchain_core.exceptions import (
            ContextOverflowError,
            LangChainException,
            ModelError,
            ModelInvalidRequestError,
            OutputParserException,
        )
        from langchain_core.messages import HumanMessage, SystemMessage

        messages = [SystemMessage(question.instructions), HumanMessage(question.facts), HumanMessage(question.material)]
        asked = self._clients.of(question.temperature).with_structured_output(
            question.form, method="json_schema", include_raw=True
        )
        try:
            async with asyncio.timeout(self._choice.timeout_s):
                told = await asked.ainvoke(messages)
        except TimeoutError as error:
            raise ModelUnavailable(f"{self.name} did not answer within {self._choice.timeout_s:g} s") from error
        except TooLarge as error:
            raise UnusableAnswer(f"{self.name} answered with more than {LARGEST_ANSWER} bytes") from error
        except (OutputParserException, ValidationError, ValueError, TypeError, KeyError) as error:
            raise UnusableAnswer(f"{self.name} answered in another form ({type(error).__name__})") from error
        except (ContextOverflowError, ModelInvalidRequestError) as error:
            raise UnusableAnswer(f"{self.name} did not take the question ({type(error).__name__})") from error
        except ModelError as error:
            raise _told_apart(self.name, error) from error
        except LangChainException as error:
            raise UnusableAnswer(f"{self.name} gave no answer ({type(error).__name__})") from error
        except Exception as error:  # two client libraries raise dozens of unrelated classes; none may decide (I3)
            raise _told_apart(self.name, error) from error
        return self._reply(question, told)

    def _reply(self, question: Question[Form], told: Any) -> Reply[Form]:
        raw, parsed = (told.get("raw"), told.get("parsed")) if isinstance(told, dict) else (None, None)
        if not isinstance(parsed, question.form):
            raise UnusableAnswer(f"{self.name} answered in another form, or refused")
        counted = getattr(raw, "usage_metadata", None) or {}
        tokens_in = counted.get("input_tokens") or question.tokens
        tokens_out = counted.get("output_tokens") or len(str(getattr(raw, "content", ""))) // 4
        usage = Usage(
            calls=1, input_tokens=tokens_in, output_tokens=tokens_out, cost=self.cost_of(tokens_in, tokens_out)
        )
        return Reply(answer=parsed, model=self.name, usage=usage)


class TooLarge(Exception):
    """A response went over `LARGEST_ANSWER`."""


def _told_apart(name: str, error: Exception) -> ModelUnavailable | UnusableAnswer:
    """What an error of a client library means. The libraries wrap what happened, so its causes are looked at too."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(one, TooLarge) for one in seen):
        return UnusableAnswer(f"{name} answered with more than {LARGEST_ANSWER} bytes")
    kinds = {type(one).__name__ for one in seen}
    if kinds & {"LengthFinishReasonError", "ContentFilterFinishReasonError", "OpenAIRefusalError"}:
        return UnusableAnswer(f"{name} broke off or refused ({type(error).__name__})")
    status = next((code for one in seen if isinstance(code := getattr(one, "status_code", None), int)), None)
    said = f" with {status}" if status and status > 0 else ""
    return ModelUnavailable(f"{name} cannot be reached or failed{said} ({type(error).__name__})")


def _openai(choice: ModelChoice, name: str) -> Clients:
    import httpx2
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    http = httpx2.AsyncClient(transport=_limited(httpx2), timeout=choice.timeout_s, follow_redirects=False)

    def client(temperature: float) -> Any:
        return ChatOpenAI(
            model=name,
            base_url=choice.url or None,
            api_key=SecretStr(choice.key or "none"),
            temperature=temperature,
            timeout=choice.timeout_s,
            max_retries=0,
            max_completion_tokens=choice.most_tokens,
            http_async_client=http,
        )

    return Clients(_kept(client), http.aclose)


def _ollama(choice: ModelChoice, name: str) -> Clients:
    import httpx
    from langchain_ollama import ChatOllama

    transport = _limited(httpx)

    def client(temperature: float) -> Any:
        return ChatOllama(
            model=name,
            base_url=choice.url or None,
            temperature=temperature,
            num_predict=choice.most_tokens,
            async_client_kwargs={
                "transport": transport,
                "timeout": choice.timeout_s,
                "follow_redirects": False,
                **({"headers": {"Authorization": f"Bearer {choice.key}"}} if choice.key else {}),
            },
        )

    return Clients(_kept(client), transport.aclose)


def _limited(library: Any) -> Any:
    """A transport of `httpx` or `httpx2`, alike in all that counts here, which reads no more than `LARGEST_ANSWER`."""

    class Bounded(library.AsyncByteStream):  # type: ignore[misc]
        def __init__(self, inner: Any) -> None:
            self._inner = inner

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for chunk in _bounded(self._inner):
                yield chunk

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Limited(library.AsyncHTTPTransport):  # type: ignore[misc]
        async def handle_async_request(self, request: Any) -> Any:
            found = await super().handle_async_request(request)
            return library.Response(
                found.status_code,
                headers=found.headers,
                stream=Bounded(found.stream),
                extensions=found.extensions,
            )

    return Limited()


def _kept(make: Callable[[float], Any]) -> Callable[[float], Any]:
    """One client for each temperature, made when it is first needed."""
    clients: dict[float, Any] = {}

    def client(temperature: float) -> Any:
        if temperature not in clients:
            clients[temperature] = make(temperature)
        return clients[temperature]

    return client


async def _bounded(stream: Any) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in stream:
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise TooLarge
        yield chunk
