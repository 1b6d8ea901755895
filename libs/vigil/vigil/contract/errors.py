"""The contract's error tree.

ContractError
├── InvalidSubject   a subject that is not one of ours
├── InvalidMessage   bytes that are not the message they should be
│   └── ObservationRefused   what a module published is no observation that is taken; `why` says it in a word
├── InvalidKeyFile   a file of API keys that cannot be used
└── InvalidModuleFile   a file of modules that cannot be used
"""

from enum import StrEnum


class ContractError(ValueError):
    """A message or a subject breaks the contract; the message says how."""


class InvalidSubject(ContractError):
    """A subject that is not one of ours."""


class InvalidMessage(ContractError):
    """Bytes that are not the message they should be."""


class WhyRefused(StrEnum):
    """Why an observation was not taken."""

    TOO_LARGE = "too_large"  # it was not even parsed
    UNREADABLE = "unreadable"  # it is not the event that it should be
    FOREIGN = "foreign"  # the module gives itself another name than that of its subject
    OUT_OF_BOUNDS = "out_of_bounds"  # a value of it breaks a rule


class ObservationRefused(InvalidMessage):
    """What a module published is no observation that is taken."""

    def __init__(self, why: WhyRefused, message: str) -> None:
        super().__init__(message)
        self.why = why


class InvalidKeyFile(ContractError):
    """A file of API keys that cannot be used."""


class InvalidModuleFile(ContractError):
    """A file of modules that cannot be used."""
