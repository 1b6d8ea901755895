"""The file of modules: the processes of the operator's own that may see a tenant's pictures and tell what they notice.

    {"modules": ["demo/zones", "acme/faces"], "salts": {"demo/zones": "6a1f…"}, "form": 2}

`vigil modules` writes it. Each of them has a NATS user (`vigil.contract.permissions`) while its tenant has a key. The
salt of a module goes into its password: one that is added again has another. A file whose form changes says so in a
field `form`; without one it is of form 1, which has no salts.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from vigil.contract.errors import InvalidModuleFile
from vigil.contract.unreadable import UNREADABLE
from vigil.core.errors import InvalidToken
from vigil.core.ids import token

FORM = 2
_WITHOUT_SALTS = 1
# Of one tenant: each is a connection that pictures may wait for.
MAX_MODULES = 16
_HOW = 'write {"modules": ["<tenant>/<module>"]}'


@dataclass(frozen=True, slots=True, order=True)
class ModuleId:
    """A module, and the tenant whose sessions it may see. `salt` goes into its password, and is empty where an older
    release added it: no part of what the module is. Raises `InvalidToken`."""

    tenant: str
    name: str
    salt: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        token(self.tenant, "tenant")
        token(self.name, "module")
        if self.salt:
            token(self.salt, "salt")

    def __str__(self) -> str:
        return f"{self.tenant}/{self.name}"


class _ModuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    modules: tuple[str, ...]
    salts: dict[str, str] = {}
    form: int = _WITHOUT_SALTS


class _Form(msgspec.Struct, frozen=True):
    form: int = _WITHOUT_SALTS


def parse_module(text: str, salt: str = "") -> ModuleId:
    """Read `<tenant>/<module>`. Raises `InvalidToken`."""
    tenant, _, name = text.partition("/")
    return ModuleId(tenant, name, salt)


def names_of(tenant: str, modules: Iterable[ModuleId]) -> tuple[str, ...]:
    """The names of a tenant's modules, in alphabetical order."""
    return tuple(sorted({module.name for module in modules if module.tenant == tenant}))


def encode_modules(modules: Iterable[ModuleId]) -> bytes:
    """The text of a file of modules."""
    listed = sorted(set(modules))
    salts = {str(module): module.salt for module in listed if module.salt}
    file = _ModuleFile(tuple(map(str, listed)), salts, FORM if salts else _WITHOUT_SALTS)
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def decode_modules(text: bytes) -> tuple[ModuleId, ...]:
    """Read a file of modules, in alphabetical order. Raises `InvalidModuleFile`, which says what to mend."""
    try:
        form = msgspec.json.decode(text, type=_Form).form
        if form > FORM:
            raise InvalidModuleFile(
                f"a newer release wrote it, in form {form}: this one reads form {FORM}, so upgrade it"
            )
        file = msgspec.json.decode(text, type=_ModuleFile)
        modules = tuple(sorted({parse_module(entry, file.salts.get(entry, "")) for entry in file.modules}))
    except UNREADABLE as error:
        raise InvalidModuleFile(f"it is not valid ({error}): {_HOW}") from None
    except InvalidToken as error:
        raise InvalidModuleFile(f"{error}; {_HOW}") from None
    check_bounds(modules)
    return modules


def check_bounds(modules: tuple[ModuleId, ...]) -> None:
    """Raise `InvalidModuleFile` when a tenant has more modules than it may."""
    for tenant in {module.tenant for module in modules}:
        count = len(names_of(tenant, modules))
        if count > MAX_MODULES:
            raise InvalidModuleFile(f"the tenant {tenant} has {count} modules: {MAX_MODULES} are taken")
