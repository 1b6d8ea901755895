"""The command line that runs a local program in a bubblewrap sandbox. Pure.

The program sees the system's programs and libraries, the folders that the operator names, all read-only, and an empty
`/tmp` and `/task` in memory. It has no network, no other process to see, no capability, no variable of the service,
and ends with its sandbox. What is not bound does not exist for it: no home, no secret, no `/etc` but a few files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Programs and libraries. `/bin`, `/lib` and so on are links into `/usr` on most systems; where one is missing it is
# left out.
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime", "/etc/mime.types")
WORK_FOLDER = "/task"
NOBODY = 65_534


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Memory is that of each process; `/tmp` and `/task` hold at most `files_mib` each."""

    memory_mib: int = 1_024
    processes: int = 64
    cpu_s: int = 120
    files_mib: int = 64


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Where the programs are that make the sandbox, and what it lets in. `setpriv` is empty unless the service runs as
    root."""

    bwrap: str
    prlimit: str
    setpriv: str = ""
    folders: tuple[str, ...] = ()
    limits: Limits = Limits()

    def command(self, command: Sequence[str]) -> list[str]:
        """The whole command line for `command`."""
        user = f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"
        outside = [self.setpriv, *user, "--"] if self.setpriv else []
        sandbox = [self.bwrap, *self._isolation(), *self._files(), "--"]
        return [*outside, *sandbox, self.prlimit, *self._limited(), "--", *command]

    def _isolation(self) -> list[str]:
        return [
            "--unshare-user",  # not --unshare-all alone, which goes on without a user namespace where there is none
            "--unshare-all",
            "--disable-userns",
            "--uid",
            str(NOBODY),
            "--gid",
            str(NOBODY),
            "--hostname",
            "brain",
            "--die-with-parent",
            "--new-session",
            "--cap-drop",
            "ALL",
            "--clearenv",
            *("--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin"),
            *("--setenv", "HOME", WORK_FOLDER),
            *("--setenv", "TMPDIR", "/tmp"),
            *("--setenv", "LANG", "C.UTF-8"),
            *("--setenv", "PYTHONUNBUFFERED", "1"),
        ]

    def _files(self) -> list[str]:
        bound: list[str] = []
        for folder in (*SYSTEM_FOLDERS, *SYSTEM_FILES):
            bound += ["--ro-bind-try", folder, folder]
        size = str(self.limits.files_mib * 1024 * 1024)
        bound += ["--proc", "/proc", "--dev", "/dev"]
        for folder in ("/tmp", WORK_FOLDER):
            bound += ["--size", size, "--tmpfs", folder]
        for folder in self.folders:
            bound += ["--ro-bind", folder, folder]
        return [*bound, "--remount-ro", "/", "--chdir", WORK_FOLDER]

    def _limited(self) -> list[str]:
        limits = self.limits
        memory, files = limits.memory_mib * 1024 * 1024, limits.files_mib * 1024 * 1024
        return [
            f"--as={memory}:{memory}",
            f"--nproc={limits.processes}:{limits.processes}",
            f"--cpu={limits.cpu_s}:{limits.cpu_s}",
            f"--fsize={files}:{files}",
            "--nofile=256:256",
            "--core=0:0",
        ]


def refused_folder(folder: str) -> str:
    """Why a folder cannot be let in, empty when it can: it must be absolute, and it must not hold what the sandbox
    keeps out or makes itself."""
    path = Path(folder)
    if not path.is_absolute() or ".." in path.parts:
        return f"{folder!r} is no absolute path"
    if path == Path("/") or path.parts[1] in ("proc", "dev", "sys", "run"):
        return f"{folder!r} would open the sandbox"
    if folder.rstrip("/") in ("/etc", "/root", "/home", "/var", "/tmp", WORK_FOLDER):
        return f"{folder!r} is too much: name the folder that holds the program"
    return ""
