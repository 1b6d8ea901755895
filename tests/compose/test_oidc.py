"""Logging in at an identity provider outside of the containers, through the layer for it."""

import asyncio
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from compose_stage import Deployment, Table

from vigil.runtime.process.tls import ServerCertificate
from vigil.testing.certificates import Authority
from vigil.testing.oidc_provider import CLIENT_ID, CLIENT_SECRET, OidcProvider

pytestmark = pytest.mark.timeout(900)

HOST = "host.docker.internal"
LOGIN = "/v1/login/oidc"
WRITE_SECRET = "umask 077; cat > /site/gateway/oidc_client_secret"


async def test_a_person_logs_in_at_a_provider_outside(deployment: Deployment, table: Table, tmp_path: Path) -> None:
    await deployment.forget()
    port = deployment.variables["VIGIL_PUBLISH_HTTP"]
    redirect_url = f"http://localhost:{port}{LOGIN}/callback"
    authority = Authority(tmp_path)
    certificate = authority.certificate(hosts=(f"DNS:{HOST}",))
    authority.ca.chmod(0o644)
    tls = ServerCertificate(certificate.cert, certificate.key).context()
    async with OidcProvider(redirect_url).serve("0.0.0.0", tls, HOST) as provider:  # containers reach it
        told = {
            "VIGIL_OIDC_ISSUER": provider.issuer,
            "VIGIL_OIDC_CLIENT_ID": CLIENT_ID,
            "VIGIL_OIDC_REDIRECT_URL": redirect_url,
            "OIDC_CA_FILE": str(authority.ca),
        }
        known = deployment.with_files("compose.oidc.yaml").with_layer("oidc.yaml").with_variables(told)
        secret = CLIENT_SECRET.encode()
        write = ("run", "--rm", "-T", "--no-deps", "--entrypoint", "sh", "keys", "-c", WRITE_SECRET)
        await asyncio.to_thread(deployment.compose, *write, stdin=secret)
        await known.run("up", "--detach", "gateway", "proxy")
        await known.until(known.is_healthy, "every container is healthy with the provider")
        who = await _log_in(f"http://localhost:{port}", authority.ca)
    table.note("logged in at a provider outside", f"{who['name']} as {who['role']} of {who['tenant']}")
    assert (who["name"], who["role"], who["tenant"]) == ("Ada", "operator", "demo")


async def _log_in(url: str, ca: Path) -> dict[str, str]:
    """What a browser does, and who it is then. The provider's name leads to this machine."""
    trust = ssl.create_default_context(cafile=ca)
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as page:
        at_provider = urlsplit(await _sent_to(page, f"{url}{LOGIN}"))
        here = at_provider._replace(netloc=f"127.0.0.1:{at_provider.port}").geturl()
        async with page.get(here, allow_redirects=False, ssl=trust, server_hostname=HOST) as answer:
            assert answer.status == 302
            back = answer.headers["Location"]
        assert await _sent_to(page, back) == "/"
        async with page.get(f"{url}/v1/login") as answer:
            found: dict[str, str] = await answer.json()
            return found


async def _sent_to(page: aiohttp.ClientSession, url: str) -> str:
    async with page.get(url, allow_redirects=False) as answer:
        assert answer.status in (302, 303), await answer.text()
        return answer.headers["Location"]
