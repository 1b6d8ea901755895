"""The file of modules on disk. Whoever changes it holds the lock of the key file, as NATS follows both."""

from pathlib import Path

from vigil.contract.errors import InvalidModuleFile
from vigil.contract.modules import ModuleId, decode_modules, encode_modules
from vigil_provision.errors import ProvisionError
from vigil_provision.private_file import write_private

FILE = "modules.json"


def read(path: Path) -> tuple[ModuleId, ...]:
    """The modules in the file; none when there is no file. Raises `ProvisionError`."""
    try:
        return decode_modules(path.read_bytes())
    except FileNotFoundError:
        return ()
    except InvalidModuleFile as error:
        raise ProvisionError(
            f"the file of modules {path} cannot be used: {error}", "mend it, or delete it and add the modules anew"
        ) from None


def write(path: Path, modules: tuple[ModuleId, ...]) -> None:
    """Replace the file: whoever reads it meanwhile reads the old modules or the new ones."""
    write_private(path, encode_modules(modules).decode())
