"""Settings: defaults that need nothing, every variable read, and refusals that name the variable."""

from pathlib import Path

import pytest

import data
from cupidsshield.secret import signing_secret
from cupidsshield.settings import MIN_SECRET, MIN_TOKEN, Settings, read_settings
from domain.errors import SettingsError
from mcp_servers.client import ServerName

SECRET = "vT4n-qL9x_pW2sZ7cH5kR0dF8gY3bM6jA1eU"

SAMPLES = {
    # name: (as the variable says it, as the setting holds it)
    "environment": ("production", "production"),
    "data_dir": ("/srv/data", Path("/srv/data")),
    "database_url": ("postgresql://u:p@db/shield", "postgresql://u:p@db/shield"),
    "sqlite_synchronous": ("FULL", "FULL"),
    "chroma_url": ("http://chroma:8000", "http://chroma:8000"),
    "embedder": ("other-v2", "other-v2"),
    "model_dir": ("/srv/models", Path("/srv/models")),
    "model_threads": ("4", 4),
    "calibration": ("/srv/calibration.json", Path("/srv/calibration.json")),
    "opinion_weights": ("/srv/opinions.json", Path("/srv/opinions.json")),
    "policies_dir": ("/srv/policies", Path("/srv/policies")),
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("9000", 9000),
    "public_url": ("https://shield.example", "https://shield.example"),
    "allowed_hosts": ("shield.example", "shield.example"),
    "rate_limit": ("10000/minute", "10000/minute"),
    "rate_limit_storage": ("async+memory://other", "async+memory://other"),
    "max_in_flight": ("8", 8),
    "deadline_s": ("2.5", 2.5),
    "tool_timeout_s": ("0.5", 0.5),
    "mcp_moderation_url": ("http://a/mcp/moderation", "http://a/mcp/moderation"),
    "mcp_database_url": ("http://a/mcp/database", "http://a/mcp/database"),
    "mcp_vector_search_url": ("http://a/mcp/vector-search", "http://a/mcp/vector-search"),
    "mcp_notifications_url": ("http://a/mcp/notifications", "http://a/mcp/notifications"),
    "oidc_client_id": ("shield", "shield"),
    "oidc_name": ("Keycloak", "Keycloak"),
    "agents_model": ("ollama:a", "ollama:a"),
    "agents_url": ("http://models:11434", "http://models:11434"),
    "agents_price_in": ("0.4", 0.4),
    "agents_price_out": ("1.6", 1.6),
    "agents_backup_url": ("http://others/v1", "http://others/v1"),
    "agents_backup_price_in": ("0.5", 0.5),
    "agents_backup_price_out": ("2", 2.0),
    "agents_timeout_s": ("0.7", 0.7),
    "agents_deadline_s": ("1.5", 1.5),
    "agents_appeal_timeout_s": ("12", 12.0),
    "agents_cache": ("0", 0),
    "allow_private_webhooks": ("true", True),
    "traces": ("console", "console"),
    "log_level": ("debug", "DEBUG"),
}


def variable(name: str) -> str:
    return f"CUPIDSSHIELD_{name.upper()}"


def test_the_defaults_need_no_server_no_key_and_no_network(nothing_set: Path) -> None:
    settings = read_settings()
    assert settings.database == f"sqlite:///{nothing_set}/var/cupidsshield.db"
    assert settings.model_folder.is_relative_to(Path(data.__path__[0]))
    assert (settings.model_folder / "model.json").is_file()
    assert (settings.chroma_url, settings.remote_urls, settings.service_token) == ("", {}, None)
    assert settings.reached_at == "http://127.0.0.1:8000"
    assert not settings.allow_private_webhooks


def test_every_setting_has_a_sample_here() -> None:
    assert (
        SAMPLES.keys()
        | {
            "service_token",
            "secret",
            "oidc_issuer",
            "oidc_client_secret",
            "agents_key",
            "agents_backup_key",
            "agents_backup_model",
        }
        == Settings.model_fields.keys()
    )


@pytest.mark.parametrize("name", SAMPLES)
def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    said, held = SAMPLES[name]
    monkeypatch.setenv("CUPIDSSHIELD_SERVICE_TOKEN", SECRET)
    monkeypatch.setenv("CUPIDSSHIELD_SECRET", SECRET)
    before = getattr(read_settings(), name)
    monkeypatch.setenv(variable(name), said)
    assert getattr(read_settings(), name) == held != before


@pytest.mark.parametrize("name", SAMPLES)
def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(variable(name), "")
    assert getattr(read_settings(), name) == Settings.model_fields[name].default


def test_the_service_token_is_read_and_never_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_SERVICE_TOKEN", SECRET)
    settings = read_settings()
    assert settings.service_token is not None
    assert settings.service_token.get_secret_value() == SECRET
    assert SECRET not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_dot_env_file_is_read_and_variables_win_over_it(monkeypatch: pytest.MonkeyPatch, nothing_set: Path) -> None:
    (nothing_set / ".env").write_text("CUPIDSSHIELD_PORT=9001\nCUPIDSSHIELD_HOST=0.0.0.0\nOTHER=1\n")
    monkeypatch.setenv("CUPIDSSHIELD_HOST", "::1")
    settings = read_settings()
    assert (settings.port, settings.host) == (9001, "::1")


def test_what_a_command_says_wins_over_both_and_what_it_leaves_out_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_PORT", "9001")
    monkeypatch.setenv("CUPIDSSHIELD_HOST", "::1")
    settings = read_settings(port=9002, host=None)
    assert (settings.port, settings.host) == (9002, "::1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("environment", "staging"),
        ("database_url", "nonsense"),
        ("database_url", "mysql://u:hunter2@db/shield"),
        ("sqlite_synchronous", "OFF"),
        ("chroma_url", "chroma"),
        ("model_threads", "0"),
        ("port", "65536"),
        ("port", "http"),
        ("public_url", "shield.example"),
        ("rate_limit", "fast"),
        ("rate_limit_storage", "memory://"),
        ("rate_limit_storage", "async+nowhere://x"),
        ("rate_limit_storage", "async+redis://:hunter2@redis:port"),
        ("max_in_flight", "0"),
        ("deadline_s", "0"),
        ("tool_timeout_s", "-1"),
        ("mcp_database_url", "ftp://elsewhere"),
        ("allow_private_webhooks", "perhaps"),
        ("log_level", "LOUD"),
    ],
)
def test_a_refusal_names_the_variable_and_does_not_repeat_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(variable(name), value)
    with pytest.raises(SettingsError) as refusal:
        read_settings()
    assert str(refusal.value).startswith(f"{variable(name)}: ")
    assert "hunter2" not in str(refusal.value)


def test_all_refusals_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_PORT", "http")
    monkeypatch.setenv("CUPIDSSHIELD_LOG_LEVEL", "LOUD")
    with pytest.raises(SettingsError, match=r"CUPIDSSHIELD_PORT: .*; CUPIDSSHIELD_LOG_LEVEL: "):
        read_settings()


@pytest.mark.parametrize("token", ["test", "changeme", "x" * (MIN_TOKEN - 1)])
def test_production_refuses_a_weak_service_token(monkeypatch: pytest.MonkeyPatch, token: str) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_SERVICE_TOKEN", token)
    monkeypatch.setenv("CUPIDSSHIELD_SECRET", SECRET)
    assert read_settings(), "fine while developing"
    monkeypatch.setenv("CUPIDSSHIELD_ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="CUPIDSSHIELD_SERVICE_TOKEN") as refusal:
        read_settings()
    assert f"'{token}'" not in str(refusal.value)


def test_production_refuses_private_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_ALLOW_PRIVATE_WEBHOOKS", "true")
    monkeypatch.setenv("CUPIDSSHIELD_SECRET", SECRET)
    assert read_settings().allow_private_webhooks
    monkeypatch.setenv("CUPIDSSHIELD_ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="CUPIDSSHIELD_ALLOW_PRIVATE_WEBHOOKS"):
        read_settings()


def test_production_starts_with_a_good_token_and_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_ENVIRONMENT", "production")
    monkeypatch.setenv("CUPIDSSHIELD_SECRET", SECRET)
    assert read_settings().environment == "production"
    monkeypatch.setenv("CUPIDSSHIELD_SERVICE_TOKEN", SECRET)
    assert read_settings().environment == "production"


@pytest.mark.parametrize("server", ServerName)
def test_a_server_elsewhere_needs_a_token_to_show_it(monkeypatch: pytest.MonkeyPatch, server: ServerName) -> None:
    url = f"http://elsewhere/mcp/{server}"
    monkeypatch.setenv(f"CUPIDSSHIELD_MCP_{server.replace('-', '_').upper()}_URL", url)
    with pytest.raises(SettingsError, match="CUPIDSSHIELD_SERVICE_TOKEN"):
        read_settings()
    monkeypatch.setenv("CUPIDSSHIELD_SERVICE_TOKEN", "between-us")
    assert read_settings().remote_urls == {server: url}


def test_the_calibration_is_the_models_own_unless_another_is_set() -> None:
    assert read_settings().calibration_file == read_settings().model_folder / "calibration.json"
    assert read_settings(calibration="/srv/mine.json").calibration_file == Path("/srv/mine.json")


def test_a_sentence_transformers_model_uses_the_heads_of_the_shipped_one() -> None:
    assert read_settings(embedder="sentence-transformers:any/model").model_folder == read_settings().model_folder
    assert read_settings(embedder="mine", model_dir="/srv").model_folder == Path("/srv/mine")


def test_production_wants_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="CUPIDSSHIELD_SECRET must be set"):
        read_settings()


@pytest.mark.parametrize(
    "secret", [SECRET[: MIN_SECRET - 1], "changeme" * 6, "x" * 40, "please-change-me-before-you-go-live-0123456789"]
)
def test_a_weak_secret_is_refused_everywhere(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_SECRET", secret)
    with pytest.raises(SettingsError, match="CUPIDSSHIELD_SECRET") as refusal:
        read_settings()
    assert secret not in str(refusal.value)


@pytest.mark.parametrize(
    ("environment", "public_url", "secure"),
    [
        ("development", "", False),
        ("development", "https://shield.example", True),
        ("production", "", True),
        ("production", "http://shield.internal", True),
    ],
)
def test_cookies_need_https_but_for_developing_over_http(
    monkeypatch: pytest.MonkeyPatch, environment: str, public_url: str, secure: bool
) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_SECRET", SECRET)
    monkeypatch.setenv("CUPIDSSHIELD_ENVIRONMENT", environment)
    monkeypatch.setenv("CUPIDSSHIELD_PUBLIC_URL", public_url)
    assert read_settings().secure_cookies is secure


class TestTheSecretOfDevelopment:
    def test_is_made_once_and_read_by_its_owner_alone(self, tmp_path: Path) -> None:
        settings = read_settings(data_dir=tmp_path)
        made = signing_secret(settings)
        assert len(made) >= MIN_SECRET
        assert signing_secret(settings) == made
        assert [path.name for path in tmp_path.iterdir()] == ["secret"]
        assert (tmp_path / "secret").stat().st_mode & 0o077 == 0

    def test_gives_way_to_the_one_that_is_set(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CUPIDSSHIELD_SECRET", SECRET)
        assert signing_secret(read_settings(data_dir=tmp_path)) == SECRET
        assert list(tmp_path.iterdir()) == []

    def test_is_refused_where_its_file_was_emptied(self, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("")
        with pytest.raises(SettingsError, match="remove it"):
            signing_secret(read_settings(data_dir=tmp_path))


def test_an_openid_provider_needs_all_that_belongs_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUPIDSSHIELD_OIDC_ISSUER", "http://login.example")
    with pytest.raises(SettingsError, match="CUPIDSSHIELD_OIDC_CLIENT_ID"):
        read_settings()
    monkeypatch.setenv("CUPIDSSHIELD_OIDC_CLIENT_ID", "shield")
    monkeypatch.setenv("CUPIDSSHIELD_OIDC_CLIENT_SECRET", "given")
    assert read_settings().oidc_issuer == "http://login.example"
    monkeypatch.setenv("CUPIDSSHIELD_SECRET", SECRET)
    monkeypatch.setenv("CUPIDSSHIELD_ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="https://"):
        read_settings()
    monkeypatch.setenv("CUPIDSSHIELD_OIDC_ISSUER", "https://login.example")
    assert read_settings().oidc_issuer == "https://login.example"
