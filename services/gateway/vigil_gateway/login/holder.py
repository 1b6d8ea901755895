"""Who sends a request with the cookie of a login."""

from vigil.contract.api_keys import ApiKey
from vigil.runtime.store.logins import Login


class LoggedIn(ApiKey, frozen=True, kw_only=True):
    """The holder of a key who logged in with it, or a person for whom an identity provider vouched: then the digest
    is that of the person's name there. `digest` is what is stored of the cookie."""

    digest: str
    login: Login
