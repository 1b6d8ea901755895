"""The command line of the sandbox, and what may be let into it. What it keeps out is tried in `test_command.py`."""

import pytest

from vigil_brain.brains.sandbox import Limits, Sandbox, refused_folder

SANDBOX = Sandbox("/usr/bin/bwrap", "/usr/bin/prlimit", folders=("/opt/agent",), limits=Limits(256, 8, 5, 4))


def test_the_program_is_behind_its_limits_behind_its_isolation() -> None:
    command = SANDBOX.command(["/opt/agent/run", "--fast"])
    assert command[0] == "/usr/bin/bwrap"
    assert command[-2:] == ["/opt/agent/run", "--fast"]
    assert command.index("/usr/bin/prlimit") > command.index("--unshare-all")
    assert {"--unshare-user", "--die-with-parent", "--clearenv", "--disable-userns"} <= set(command)
    assert {"--as=268435456:268435456", "--nproc=8:8", "--cpu=5:5", "--fsize=4194304:4194304"} <= set(command)


def test_nothing_is_bound_that_can_be_written() -> None:
    command = SANDBOX.command(["true"])
    assert "--bind" not in command
    assert "--dev-bind" not in command
    bound = [command[place + 1] for place, word in enumerate(command) if word.startswith("--ro-bind")]
    assert "/" not in bound
    assert not [folder for folder in bound if folder.startswith(("/home", "/root", "/run", "/var"))]


def test_a_service_that_runs_as_root_becomes_another_user_first() -> None:
    command = Sandbox("/usr/bin/bwrap", "/usr/bin/prlimit", "/usr/bin/setpriv").command(["true"])
    assert command[:5] == ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]


@pytest.mark.parametrize("folder", ["/opt/agent", "/srv/brains/one", "/home/agent/tool", "/usr/local/share/x"])
def test_folders_of_programs_may_come_in(folder: str) -> None:
    assert refused_folder(folder) == ""


@pytest.mark.parametrize("folder", ["/", "/proc/1", "/run/secrets", "/etc", "/home/", "/tmp", "opt", "/opt/../etc"])
def test_folders_that_would_open_it_may_not(folder: str) -> None:
    assert refused_folder(folder)
