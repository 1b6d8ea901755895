"""Configuration: typed, frozen, named by its variable when wrong, and never showing a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr, ValidationError

from vigil.runtime.config import ConfigInvalid, WorkerSettings, load, masked_url, shown


class EngineSettings(WorkerSettings):
    engine_api_key: SecretStr = SecretStr("")
    cadence_ms: int = Field(1_000, ge=200)


def test_variables_are_read_with_their_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_HTTP_PORT", "9103")
    monkeypatch.setenv("VIGIL_NATS_URL", "nats://bus:4222")
    settings = load(EngineSettings)
    assert (settings.http_port, settings.nats_url, settings.cadence_ms) == (9103, "nats://bus:4222", 1_000)


def test_values_given_by_the_caller_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_CAPACITY", "3")
    assert load(WorkerSettings, {"capacity": 5}).capacity == 5


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(WorkerSettings).capacity = 3


def test_every_wrong_variable_has_its_own_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_HTTP_PORT", "eighty")
    monkeypatch.setenv("VIGIL_REDIS_URL", "http://store")
    monkeypatch.setenv("VIGIL_CAPACITY", "0")
    with pytest.raises(ConfigInvalid) as caught:
        load(WorkerSettings)
    names = [problem.partition(":")[0] for problem in caught.value.problems]
    assert sorted(names) == ["VIGIL_CAPACITY", "VIGIL_HTTP_PORT", "VIGIL_REDIS_URL"]
    assert "VIGIL_CAPACITY: Input should be greater than or equal to 1" in caught.value.problems


def test_a_wrong_secret_is_not_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_NATS_URL", "mqtt://user:sesame@bus")
    with pytest.raises(ConfigInvalid) as caught:
        load(WorkerSettings)
    assert "sesame" not in str(caught.value)


def test_secrets_and_passwords_in_urls_are_masked() -> None:
    settings = load(
        EngineSettings,
        {
            "engine_api_key": "sesame",
            "redis_url": "rediss://vigil:sesame@store:6380/0",
            "nats_url": "nats://a:sesame@one:4222,nats://b:sesame@two:4222",
        },
    )
    printed = shown(settings)
    assert "sesame" not in str(printed)
    assert printed["redis_url"] == "rediss://***@store:6380/0"
    assert printed["nats_url"] == "nats://***@one:4222,nats://***@two:4222"
    assert printed["engine_api_key"] == "***"
    assert printed["capacity"] == 16


@given(st.text("abcXYZ019._~%-", min_size=1), st.text("abcXYZ019._~%-", min_size=8), st.sampled_from(["rtsp", "redis"]))
def test_no_password_survives_masking(user: str, password: str, scheme: str) -> None:
    assert masked_url(f"{scheme}://{user}:{password}@host:1/path") == f"{scheme}://***@host:1/path"


def test_a_url_without_a_password_stays() -> None:
    assert masked_url("nats://bus:4222") == "nats://bus:4222"
