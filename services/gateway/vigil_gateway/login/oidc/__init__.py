"""Logging in at an identity provider: OpenID Connect's code flow with PKCE, state and nonce."""
