"""Changes of the modules of a deployment. Pure: modules in, modules out."""

from collections.abc import Iterable

from vigil.contract.errors import InvalidModuleFile
from vigil.contract.modules import ModuleId, check_bounds
from vigil_provision.errors import ProvisionError

Modules = tuple[ModuleId, ...]


def added(modules: Modules, new: ModuleId, tenants: Iterable[str]) -> Modules:
    """The modules with a new one. Raises `ProvisionError` when it is there, its tenant is not, or that has too many."""
    if new in modules:
        raise ProvisionError(f"there is a module {new}", "`vigil modules url` prints its address again")
    if new.tenant not in tenants:
        raise ProvisionError(f"there is no tenant {new.tenant}", "`vigil keys tenants` lists them")
    wanted = tuple(sorted((*modules, new)))
    try:
        check_bounds(wanted)
    except InvalidModuleFile as error:
        raise ProvisionError(str(error), "remove one with `vigil modules remove`") from None
    return wanted


def removed(modules: Modules, old: ModuleId) -> Modules:
    """The modules without one. Raises `ProvisionError` when it is not there."""
    if old not in modules:
        raise ProvisionError(f"there is no module {old}", "`vigil modules` lists them")
    return tuple(module for module in modules if module != old)
