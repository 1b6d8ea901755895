"""Which tenant and role a person has, by the claims that the identity provider vouches for. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vigil.contract.api_keys import MAX_NAME_CHARS, KeyRole
from vigil.core.errors import InvalidToken
from vigil.core.ids import token
from vigil_gateway.api.errors import OidcNoRole

Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the identity provider knows as `subject`."""

    subject: str
    name: str
    tenant: str
    role: KeyRole


@dataclass(frozen=True, slots=True)
class PersonRules:
    """The claims that hold tenant and role, and what the values of the latter mean."""

    tenant_claim: str
    role_claim: str
    roles: Mapping[str, KeyRole]

    def person(self, claims: Claims) -> Person:
        """Raises `OidcNoRole` for whom no tenant or role can be told."""
        name = str(claims.get("name") or claims.get("preferred_username") or claims.get("email") or claims["sub"])
        return Person(str(claims["sub"]), name[:MAX_NAME_CHARS], self._tenant(claims), self._role(claims))

    def _tenant(self, claims: Claims) -> str:
        given = _texts(claims.get(self.tenant_claim))
        if len(given) != 1:
            raise OidcNoRole(f"the claim {self.tenant_claim} names {len(given) or 'no'} tenants: it must name one")
        try:
            return token(given[0], "tenant")
        except InvalidToken as error:
            raise OidcNoRole(str(error)) from None

    def _role(self, claims: Claims) -> KeyRole:
        """The highest role of those that the claim's values mean."""
        found = {self.roles[value] for value in _texts(claims.get(self.role_claim)) if value in self.roles}
        highest = [role for role in KeyRole if role in found]
        if not highest:
            raise OidcNoRole(f"no value of the claim {self.role_claim} means a role here")
        return highest[-1]


def _texts(value: object) -> tuple[str, ...]:
    """The texts of a claim, which may hold one or a list of them."""
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)
