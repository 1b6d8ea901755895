"""What can go wrong on the machine that runs Vigil.

LocalError                      Vigil cannot run on this machine
├── AlreadyRunning              another `vigil up` holds the data directory
├── DiskFull                    too little room where the data directory is
├── PortInUse                   a port that was asked for is taken
├── Missing                     a program, an environment or a model is not there
└── ProcessFailed               a process did not become healthy; `lines` are the last ones of its log

They are `ClientError`s: the `vigil` command prints the message and the next step of each.
"""

from vigil_client.errors import ClientError


class LocalError(ClientError):
    """Vigil cannot run on this machine."""


class AlreadyRunning(LocalError):
    """Another `vigil up` holds the data directory."""


class DiskFull(LocalError):
    """Too little room where the data directory is."""


class PortInUse(LocalError):
    """A port that was asked for is taken."""


class Missing(LocalError):
    """A program, an environment or a model is not there."""


class ProcessFailed(LocalError):
    """A process did not become healthy."""
