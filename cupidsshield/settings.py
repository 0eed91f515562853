"""Settings, read once from `CUPIDSSHIELD_…` variables and `.env`. Rooms below receive plain values.

Every setting is described in docs/settings.md and, with its default, in .env.example; a test keeps both true.
"""

from enum import StrEnum
from pathlib import Path
from typing import Literal

from limits import parse
from pydantic import AnyHttpUrl, Field, SecretStr, TypeAdapter, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

import data
from domain.errors import SettingsError
from gateway.limits import IN_MEMORY, storage_at
from mcp_servers.client import ServerName

SHIPPED_MODEL = "e5-small-v1"
MIN_TOKEN = 24
MIN_SECRET = 32
DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
CONSOLE = "console"
DEMO_SECRETS = {"changeme", "secret", "demo", "test", "password"}
DEMO_WORDS = ("changeme", "change-me", "change_me", "example", "secret", "password")


class Environment(StrEnum):
    """`production` refuses what is only safe to develop with."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Settings(BaseSettings):
    """Everything that can be set. Defaults need no server, no key and no network.

    A variable that is empty counts as not set.
    """

    model_config = SettingsConfigDict(
        env_prefix="CUPIDSSHIELD_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True
    )

    environment: Environment = Field(Environment.DEVELOPMENT, description="`development` or `production`")
    data_dir: Path = Field(Path("var"), description="holds everything that a run writes")
    database_url: str = Field("", description="`postgresql://…`; empty: SQLite in the data directory")
    sqlite_synchronous: Literal["NORMAL", "FULL"] = Field(
        "NORMAL", description="NORMAL: a commit survives kill -9; FULL: also a power cut, at a disk flush a commit"
    )
    chroma_url: str = Field("", description="`http://host:port` of `chroma run`; empty: embedded in the data directory")
    embedder: str = Field(SHIPPED_MODEL, description="model folder's name, or `sentence-transformers:<model>`")
    model_dir: Path | None = Field(None, description="folder of models; empty: the ones that are shipped")
    model_threads: int = Field(1, ge=1, le=64, description="forward passes at once, each on one thread")
    calibration: Path | None = Field(
        None, description="file that `cupidsshield calibrate --write` made; empty: the model's own"
    )
    opinion_weights: Path | None = Field(
        None, description="file that `cupidsshield calibrate-agents --write` made; empty: the weights of the policies"
    )
    policies_dir: Path | None = Field(None, description="folder of policy files; empty: the ones that are shipped")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on")
    public_url: str = Field("", description="URL under which the service is reached; empty: from host and port")
    allowed_hosts: str = Field(
        "127.0.0.1:*,localhost:*,[::1]:*", description="Host headers that the MCP servers answer, comma-separated"
    )
    rate_limit: str = Field("300/second", description="requests per API key, e.g. `10000/minute`")
    rate_limit_storage: str = Field(
        IN_MEMORY, description="`async+redis://host:port` to share it between processes (needs the package redis)"
    )
    max_in_flight: int = Field(256, ge=1, description="decisions being made at once before callers are told to wait")
    deadline_s: float = Field(15.0, gt=0, description="seconds for one decision, then 503")
    tool_timeout_s: float = Field(3.0, gt=0, description="seconds for one MCP call, then a person decides")
    mcp_moderation_url: str = Field("", description="URL of a moderation server elsewhere; empty: in this process")
    mcp_database_url: str = Field("", description="URL of a database server elsewhere; empty: in this process")
    mcp_vector_search_url: str = Field(
        "", description="URL of a vector-search server elsewhere; empty: in this process"
    )
    mcp_notifications_url: str = Field(
        "", description="URL of a notifications server elsewhere; empty: in this process"
    )
    service_token: SecretStr | None = Field(
        None, description="secret that the parts of the service show each other; needed where MCP servers run elsewhere"
    )
    secret: SecretStr | None = Field(
        None,
        description="signs links to users and what browsers keep, at least 32 characters, the same in every process; "
        "empty: made once and kept in the data directory, in development only",
    )
    oidc_issuer: str = Field("", description="issuer of an OpenID provider that signs staff in; empty: passwords only")
    oidc_client_id: str = Field("", description="what the provider calls this service")
    oidc_client_secret: SecretStr | None = Field(None, description="the secret that the provider gave for it")
    oidc_name: str = Field("single sign-on", description="what the button says after “Sign in with”")
    agents_model: str = Field(
        "", description="language model for doubtful texts: `openai:<model>` or `ollama:<model>`; empty: none is asked"
    )
    agents_url: str = Field(
        "", description="URL of a server that speaks that protocol, e.g. `http://host:port/v1`; empty: the provider's"
    )
    agents_key: SecretStr | None = Field(None, description="the key for it")
    agents_price_in: float = Field(0.0, ge=0, description="price of a million tokens that are sent to it")
    agents_price_out: float = Field(0.0, ge=0, description="price of a million tokens that it answers with")
    agents_backup_model: str = Field(
        "", description="language model that is asked where the first gives no usable answer"
    )
    agents_backup_url: str = Field("", description="URL for the backup; empty: the provider's")
    agents_backup_key: SecretStr | None = Field(None, description="the key for the backup")
    agents_backup_price_in: float = Field(
        0.0, ge=0, description="price of a million tokens that are sent to the backup"
    )
    agents_backup_price_out: float = Field(
        0.0, ge=0, description="price of a million tokens that the backup answers with"
    )
    agents_timeout_s: float = Field(
        4.0, gt=0, description="seconds for one answer of a language model, then the backup"
    )
    agents_deadline_s: float = Field(
        9.0, gt=0, description="seconds for all that one text is asked about, then a person; below the deadline by 1 s"
    )
    agents_appeal_timeout_s: float = Field(
        30.0, gt=0, description="seconds for one answer about an appeal, which nobody waits for, then the backup"
    )
    agents_cache: int = Field(2_048, ge=0, description="answers kept for an hour, for questions that are the same")
    allow_private_webhooks: bool = Field(False, description="let webhooks go to private addresses and plain http")
    traces: str = Field(
        "", description="where spans go: `http://host:port` of an OTLP collector, or `console`; empty: nowhere"
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="`DEBUG`, `INFO`, `WARNING` or `ERROR`")

    @field_validator("log_level", mode="before")
    @classmethod
    def _case_does_not_matter(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _is_a_database(cls, value: str) -> str:
        try:
            known = not value or make_url(value).drivername in DATABASES
        except ArgumentError:
            known = False
        if not known:
            raise ValueError("expected postgresql://user@host/database or sqlite:///path")
        return value

    @field_validator(
        "chroma_url",
        "public_url",
        "oidc_issuer",
        "agents_url",
        "agents_backup_url",
        "mcp_moderation_url",
        "mcp_database_url",
        "mcp_vector_search_url",
        "mcp_notifications_url",
    )
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        try:
            TypeAdapter(AnyHttpUrl).validate_python(value or "http://unset")
        except ValidationError as error:
            raise ValueError("expected an address such as http://host:port") from error
        return value

    @field_validator("traces")
    @classmethod
    def _is_a_place_for_spans(cls, value: str) -> str:
        if value == CONSOLE:
            return value
        try:
            return cls._is_an_address(value)
        except ValueError as error:
            raise ValueError(
                "expected console, or the address of an OTLP collector such as http://host:4318"
            ) from error

    @field_validator("rate_limit")
    @classmethod
    def _is_a_rate(cls, value: str) -> str:
        try:
            parse(value)
        except ValueError as error:
            raise ValueError("expected a rate such as 300/second or 10000/minute") from error
        return value

    @field_validator("rate_limit_storage")
    @classmethod
    def _is_a_storage_that_can_be_used(cls, value: str) -> str:
        try:
            storage_at(value)
        except ValueError as error:
            expected = "expected async+memory://, or async+redis://host:port with the package redis installed"
            raise ValueError(expected) from error
        return value

    @model_validator(mode="after")
    def _secrets_are_secret(self) -> "Settings":
        token = self.service_token.get_secret_value() if self.service_token else ""
        secret = self.secret.get_secret_value() if self.secret else ""
        if secret and len(secret) < MIN_SECRET:
            raise ValueError(f"CUPIDSSHIELD_SECRET must have at least {MIN_SECRET} characters")
        if secret and (len(set(secret)) < MIN_SECRET // 4 or any(word in secret.lower() for word in DEMO_WORDS)):
            raise ValueError("CUPIDSSHIELD_SECRET must be random, not a word from an example")
        if self.remote_urls and not token:
            raise ValueError("CUPIDSSHIELD_SERVICE_TOKEN must be set where an MCP server runs elsewhere")
        for name in ("agents_model", "agents_backup_model"):
            if getattr(self, name) and not getattr(self, name).startswith(("openai:", "ollama:")):
                raise ValueError(f"CUPIDSSHIELD_{name.upper()} must begin with openai: or ollama:")
        if self.agents_backup_model and not self.agents_model:
            raise ValueError("CUPIDSSHIELD_AGENTS_BACKUP_MODEL needs CUPIDSSHIELD_AGENTS_MODEL as well")
        if self.agents_model and self.agents_deadline_s > self.deadline_s - 1:
            raise ValueError("CUPIDSSHIELD_AGENTS_DEADLINE_S must be a second or more below CUPIDSSHIELD_DEADLINE_S")
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            raise ValueError("CUPIDSSHIELD_OIDC_ISSUER needs CUPIDSSHIELD_OIDC_CLIENT_ID and _CLIENT_SECRET as well")
        if self.environment is Environment.PRODUCTION:
            if self.oidc_issuer and not self.oidc_issuer.startswith("https://"):
                raise ValueError("CUPIDSSHIELD_OIDC_ISSUER must begin with https:// in production")
            if token and (len(token) < MIN_TOKEN or token.lower() in DEMO_SECRETS):
                raise ValueError(f"CUPIDSSHIELD_SERVICE_TOKEN must have at least {MIN_TOKEN} characters in production")
            if not secret:
                raise ValueError("CUPIDSSHIELD_SECRET must be set in production")
            if self.allow_private_webhooks:
                raise ValueError("CUPIDSSHIELD_ALLOW_PRIVATE_WEBHOOKS must be off in production")
        return self

    @property
    def remote_urls(self) -> dict[ServerName, str]:
        """The MCP servers that run elsewhere, and where."""
        urls = {
            ServerName.MODERATION: self.mcp_moderation_url,
            ServerName.DATABASE: self.mcp_database_url,
            ServerName.VECTOR_SEARCH: self.mcp_vector_search_url,
            ServerName.NOTIFICATIONS: self.mcp_notifications_url,
        }
        return {name: url for name, url in urls.items() if url}

    @property
    def model_folder(self) -> Path:
        """The folder of the model in use; a sentence-transformers backend uses the heads of the shipped one."""
        folder = self.model_dir or Path(data.__path__[0]) / "models"
        return folder / (SHIPPED_MODEL if ":" in self.embedder else self.embedder)

    @property
    def calibration_file(self) -> Path:
        """The calibration in use."""
        return self.calibration or self.model_folder / "calibration.json"

    @property
    def database(self) -> str:
        """The database's URL, the default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.resolve() / 'cupidsshield.db'}"

    @property
    def secure_cookies(self) -> bool:
        """Whether cookies need https: always in production, and wherever people reach the service by it."""
        return self.environment is Environment.PRODUCTION or self.reached_at.startswith("https://")

    @property
    def reached_at(self) -> str:
        """The URL under which the service is reached from outside."""
        return self.public_url or f"http://{self.host}:{self.port}"


def read_settings(**overrides: object) -> Settings:
    """The settings of this process. Raises SettingsError that names the variable and what it needs."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        lines = []
        for item in error.errors(include_input=False, include_url=False):
            where = ".".join(str(part) for part in item["loc"])
            name = f"CUPIDSSHIELD_{where.upper()}: " if where else ""
            lines.append(f"{name}{item['msg'].removeprefix('Value error, ')}")
        raise SettingsError("; ".join(lines)) from error
