"""One login at the identity provider: begun with a state, ended with the person whom the provider vouches for."""

import secrets
import time

from vigil.runtime.store.oidc_flows import OidcFlow, OidcFlows
from vigil_gateway.api.errors import OidcRefused
from vigil_gateway.login.cookie import digest_of
from vigil_gateway.login.oidc.person import Person, PersonRules
from vigil_gateway.login.oidc.provider import Provider


class SignIn:
    """The code flow with PKCE. State and nonce are kept in Redis for ten minutes and hold once."""

    def __init__(self, provider: Provider, flows: OidcFlows, rules: PersonRules) -> None:
        self._provider = provider
        self._flows = flows
        self._rules = rules

    async def begin(self, state: str, path: str) -> str:
        """The address at the provider to go to. Raises `OidcUnavailable`, `StoreError`."""
        flow = OidcFlow(secrets.token_urlsafe(32), secrets.token_urlsafe(48), path)
        address = await self._provider.authorization_url(state, flow.nonce, flow.verifier)
        await self._flows.begin(digest_of(state), flow, time.time_ns() // 1_000_000)
        return address

    async def end(self, state: str, code: str, error: str) -> tuple[Person, str]:
        """Who has logged in, and the path to go on to. Raises `OidcRefused`, `OidcUnavailable`, `OidcNoRole`,
        `StoreError`."""
        flow = await self._flows.take(digest_of(state))
        if flow is None:
            raise OidcRefused("this login was begun more than ten minutes ago, or it has ended already")
        if error or not code:
            raise OidcRefused(f"the identity provider lets nobody in ({error[:80] or 'it gave no code'})")
        claims = await self._provider.claims(code, flow.verifier, flow.nonce)
        return self._rules.person(claims), flow.path
