"""The core's error tree.

CoreError
├── InvalidToken        a name that cannot be a subject token
├── InvalidSpec         a session, instruction or watch that breaks a rule
├── UnknownInstruction  replace or clear names an instruction that is not there
└── UnknownProfile      no prompt profile has that name
"""


class CoreError(ValueError):
    """Something a caller gave the core is wrong; the message says what and what to do."""


class InvalidToken(CoreError):
    """A tenant, session or source id that cannot be part of a subject."""


class InvalidSpec(CoreError):
    """A session, instruction or watch that breaks a rule."""


class UnknownInstruction(CoreError):
    """Replace or clear names an instruction that the session does not have."""


class UnknownProfile(CoreError):
    """No prompt profile has that name."""
