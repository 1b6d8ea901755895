"""Logins of people at the console: a key for a cookie, an identity provider for both, and what protects the cookie."""
