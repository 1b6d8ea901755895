"""The contract's error tree.

ContractError
├── InvalidSubject   a subject that is not one of ours
├── InvalidMessage   bytes that are not the message they should be
└── InvalidKeyFile   a file of API keys that cannot be used
"""


class ContractError(ValueError):
    """A message or a subject breaks the contract; the message says how."""


class InvalidSubject(ContractError):
    """A subject that is not one of ours."""


class InvalidMessage(ContractError):
    """Bytes that are not the message they should be."""


class InvalidKeyFile(ContractError):
    """A file of API keys that cannot be used."""
