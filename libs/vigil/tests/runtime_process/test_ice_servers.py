import pytest

from vigil.runtime.process.config import ConfigInvalid, ServiceSettings, load, shown
from vigil.runtime.process.ice_servers import IceServer, IceServersSetting, ice_servers

TURN = '[{"urls": ["turn:t.example:3478?transport=udp", "turns:t.example"], "username": "u", "credential": "s3cret"}]'


class _Settings(ServiceSettings):
    ice_servers: IceServersSetting


@pytest.mark.parametrize(
    ("text", "servers"),
    [
        ("", ()),
        ("[]", ()),
        ('[{"urls": "stun:stun.example:19302"}]', (IceServer(("stun:stun.example:19302",)),)),
        (TURN, (IceServer(("turn:t.example:3478?transport=udp", "turns:t.example"), "u", "s3cret"),)),
    ],
)
def test_servers_are_read_as_a_browser_is_given_them(text: str, servers: tuple[IceServer, ...]) -> None:
    assert ice_servers(text) == servers


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("stun:stun.example", "not JSON"),
        ('{"urls": "stun:stun.example"}', "not a list"),
        ("[1]", "`urls`"),
        ('[{"url": "stun:stun.example"}]', "`urls`"),
        ('[{"urls": []}]', "begin with stun:"),
        ('[{"urls": "https://stun.example"}]', "begin with stun:"),
        ('[{"urls": "stun:a> ; rel=x"}]', "begin with stun:"),
        ('[{"urls": "turn:t.example", "username": "u"}]', "needs `username` and `credential`"),
        ('[{"urls": "stun:s.example", "username": "a\\r\\nb"}]', "control characters"),
    ],
)
def test_a_setting_that_breaks_a_rule_is_refused_with_its_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        ice_servers(text)
    with pytest.raises(ConfigInvalid, match="VIGIL_ICE_SERVERS: "):
        load(_Settings, {"ice_servers": text})


def test_credentials_are_masked_where_settings_are_shown() -> None:
    settings = load(_Settings, {"ice_servers": TURN})
    assert "s3cret" not in str(shown(settings))
    assert ice_servers(settings.ice_servers.get_secret_value())[0].credential == "s3cret"
