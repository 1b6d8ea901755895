"""Configuration: typed, frozen, named by its variable when wrong, and never showing a secret."""

from pathlib import Path

import pytest
from pydantic import Field, SecretStr, ValidationError

from vigil.runtime.process.config import ConfigInvalid, WorkerSettings, load, service_links, shown


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


@pytest.mark.parametrize("address", ["tcp://10.96.1.2:8080", "udp://10.96.1.2:53", "tcp://[fd00::1]:8080"])
def test_a_port_that_kubernetes_or_docker_sets_to_a_services_address_keeps_its_default(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("VIGIL_HTTP_PORT", address)
    monkeypatch.setenv("VIGIL_GRPC_PORT", "9203")
    monkeypatch.setenv("VIGIL_HTTP_PORT_8080_TCP_ADDR", "10.96.1.2")
    monkeypatch.setenv("VIGIL_HTTP_SERVICE_HOST", "10.96.1.2")
    settings = load(WorkerSettings)
    assert (settings.http_port, settings.grpc_port) == (0, 9203)
    assert service_links(WorkerSettings) == {"http_port": address}


@pytest.mark.parametrize("wrong", ["tcp://", "http://10.96.1.2:8080", "10.96.1.2:8080", "eighty", ""])
def test_a_port_that_is_wrong_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("VIGIL_HTTP_PORT", wrong)
    assert service_links(WorkerSettings) == {}
    with pytest.raises(ConfigInvalid, match="VIGIL_HTTP_PORT: "):
        load(WorkerSettings)


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


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NATS_URL", "nats://[::1"),
        ("NATS_URL", "nats://user:s3/cret@bus:4222"),
        ("NATS_URL", "nats://one:4222,nats://user:s3#cret@two:4222"),
        ("NATS_URL", "nats://one:4222,"),
        ("NATS_URL", "nats://"),
        ("REDIS_URL", "redis://store:99999/0"),
        ("REDIS_URL", "redis://:s3?cret@store:6379/0"),
        ("OTLP_ENDPOINT", "http://[collector:4317"),
    ],
)
def test_an_address_that_cannot_be_read_is_one_line_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"VIGIL_{name}", value)
    with pytest.raises(ConfigInvalid) as caught:
        load(WorkerSettings)
    (problem,) = caught.value.problems
    assert problem.startswith(f"VIGIL_{name}: it is not scheme://host:port")
    assert "cret" not in problem


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("nats_url", "nats://one:4222,two:4222"),
        ("nats_url", "tls://[::1]:4222"),
        ("redis_url", "unix://vigil:sesame@/run/redis.sock?db=0"),
        ("redis_url", "redis://:ses,ame@store:6379/0"),
        ("otlp_endpoint", ""),
    ],
)
def test_addresses_that_can_be_read_are_kept(name: str, value: str) -> None:
    assert getattr(load(WorkerSettings, {name: value}), name) == value


@pytest.fixture
def secrets_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that `VIGIL_SECRETS_DIR` names."""
    monkeypatch.setenv("VIGIL_SECRETS_DIR", str(tmp_path))
    return tmp_path


def test_a_setting_without_a_variable_is_read_from_the_file_of_its_name(
    secrets_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (secrets_dir / "nats_url").write_text("nats://gateway:sesame@bus:4222\n")
    (secrets_dir / "engine_api_key").write_text("open\n")
    (secrets_dir / "redis_url").write_text("redis://file:6379/0")
    monkeypatch.setenv("VIGIL_REDIS_URL", "redis://variable:6379/0")
    settings = load(EngineSettings)
    assert settings.nats_url == "nats://gateway:sesame@bus:4222"
    assert settings.engine_api_key.get_secret_value() == "open"
    assert settings.redis_url == "redis://variable:6379/0", "a variable comes before a file"
    assert "sesame" not in str(shown(settings))


def test_what_else_lies_in_the_folder_of_secrets_is_passed_over(secrets_dir: Path) -> None:
    (secrets_dir / "..data").mkdir()  # Kubernetes makes it
    (secrets_dir / "ca.pem").write_bytes(b"\xff")
    assert load(WorkerSettings) == load(WorkerSettings, {"secrets_dir": str(secrets_dir)})


@pytest.mark.parametrize(("content", "why"), [(b"\xff", "it is not UTF-8"), (None, "Is a directory")])
def test_a_secret_that_cannot_be_read_is_named(secrets_dir: Path, content: bytes | None, why: str) -> None:
    path = secrets_dir / "nats_url"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ConfigInvalid, match=rf"VIGIL_SECRETS_DIR: the file {path} cannot be read: {why}"):
        load(WorkerSettings)


def test_a_wrong_value_in_a_file_is_named_by_its_variable_and_not_shown(secrets_dir: Path) -> None:
    (secrets_dir / "nats_url").write_text("mqtt://user:sesame@bus")
    with pytest.raises(ConfigInvalid, match="VIGIL_NATS_URL: ") as caught:
        load(WorkerSettings)
    assert "sesame" not in str(caught.value)


def test_a_folder_of_secrets_that_is_not_there_stops_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIL_SECRETS_DIR", "/nowhere")
    with pytest.raises(ConfigInvalid, match="VIGIL_SECRETS_DIR: /nowhere is not a folder: mount the secrets there"):
        load(WorkerSettings)
