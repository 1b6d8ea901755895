"""Logins at the console."""

from datetime import datetime

from pydantic import Field

from vigil.contract.api_keys import KeyRole
from vigil_gateway.api.auth import MAX_KEY_CHARS
from vigil_gateway.api.models.base import In, Out


class LoginIn(In):
    """Who logs in."""

    key: str = Field(
        min_length=1, max_length=MAX_KEY_CHARS, description="An API key", examples=["the key that you were given"]
    )


class LoginOut(Out):
    """Who is logged in."""

    tenant: str
    role: KeyRole
    name: str = Field(description="The name of the key, or of the person whom an identity provider vouched for")
    csrf: str | None = Field(
        description="What each request with the cookie that is no GET carries in the header `X-CSRF-Token`; null for a "
        "request with a key, which needs none"
    )
    expires: datetime | None = Field(description="When the login ends, or the key; null: it does not expire")
    oidc: bool = Field(description="Whether people may also log in at an identity provider, at /v1/login/oidc")
