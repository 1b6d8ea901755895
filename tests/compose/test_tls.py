"""The TLS layer of compose, in real containers: all that speaks TLS speaks nothing else, and an alert comes through."""

import asyncio
import ssl
import time

import aiohttp
import nats
import pytest
from compose_stage import Deployment, Table, docker
from nats.errors import Error as NatsError
from system import subscriber

pytestmark = pytest.mark.timeout(900)

FIRST_ALERT_S = 180.0
DAY_S = 86_400
READ_METRICS = "from urllib.request import urlopen; print(urlopen('http://127.0.0.1:9100/metrics').read().decode())"
EXPIRY = "vigil_certificate_expiry_timestamp_seconds{what="


async def test_an_alert_comes_through_a_deployment_that_speaks_tls_alone(deployment: Deployment, table: Table) -> None:
    secure = deployment.with_files("compose.tls.yaml")
    await deployment.forget()
    began = time.monotonic()
    await secure.run("up", "--detach")
    await secure.until(secure.is_healthy, "every container is healthy with TLS")
    trust = ssl.create_default_context(cadata=secure.site("trust/ca.crt"))
    async with subscriber(secure, "vigil.v1.alert.demo.demo.>", trust) as alerts:
        _, _, event = await alerts.wait_for(lambda _, event: event["data"]["state"] == "opened", FIRST_ALERT_S)
    table.note("with TLS: `up` until a subscriber outside has an alert", f"{time.monotonic() - began:.0f} s")
    assert event["data"]["severity"] == "critical"
    await _assert_the_gateway_speaks_tls(secure, trust)
    await _assert_the_stores_speak_tls(secure)


async def _assert_the_gateway_speaks_tls(secure: Deployment, trust: ssl.SSLContext) -> None:
    url = secure.endpoints["gateway_url"]
    key = {"Authorization": f"Bearer {secure.endpoints['api_key']}"}
    async with aiohttp.ClientSession(headers=key) as http:
        async with http.get(f"{url}/v1/sessions", ssl=trust) as answer:
            assert answer.status == 200
        async with http.get(f"{url}/metrics", ssl=trust) as answer:
            assert answer.status == 404
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"{url}/v1/health")  # the authority is not one of the system's
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"{url.replace('https', 'http')}/v1/health")
    (gateway,) = secure.of("gateway")
    lines = docker("exec", gateway.id, "python", "-c", READ_METRICS).splitlines()
    ends = {line.split('"')[1]: float(line.split()[-1]) for line in lines if line.startswith(EXPIRY)}
    days = {what: (end_s - time.time()) / DAY_S for what, end_s in ends.items()}
    assert 820 < days["certificate"] < 826
    assert days["authorities"] > 3_600


async def _assert_the_stores_speak_tls(secure: Deployment) -> None:
    with pytest.raises((NatsError, OSError)):  # the authority is not one of the system's
        async with asyncio.timeout(30):
            await nats.connect(secure.endpoints["nats_url"], allow_reconnect=False)
    (redis,) = secure.of("redis")
    plain = docker("exec", redis.id, "sh", "-c", "redis-cli --user health --pass any ping 2>&1 || true")
    assert "PONG" not in plain
