"""The files that brains made: their names in the object store, and their paths on the gateway."""

from vigil.core.ids import SessionKey, token


def artefact_object(tenant: str, task: str, number: int) -> str:
    """The object's name. The tenant comes first: another tenant's file cannot be named."""
    return f"{token(tenant, 'tenant')}.{task}.{number}"


def artefact_path(key: SessionKey, task: str, number: int) -> str:
    """Where the gateway serves it."""
    return f"/v1/sessions/{key.session}/tasks/{task}/artefacts/{number}"
