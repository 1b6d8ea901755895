"""Alerts of a tenant: listed, exported, shown with their life, acknowledged, muted."""
