"""What can go wrong with the configuration of a deployment.

ProvisionError                  a file is not what it should be, or a key or tenant is not there

It is a `ClientError`: the commands print its message and its next step.
"""

from vigil_client.errors import ClientError


class ProvisionError(ClientError):
    """The configuration of a deployment cannot be read or changed."""
