"""Small programs that tests run as processes: `serve`, `crash`, `deaf`, `family` and `share`. Standard library only."""

import http.server
import signal
import subprocess
import sys
from multiprocessing import shared_memory
from pathlib import Path

FOREVER = [sys.executable, "-I", "-c", "import signal; signal.pause()"]


class Healthy(http.server.BaseHTTPRequestHandler):
    """Answers every GET with 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def serve(port: int) -> None:
    """Be healthy on a port."""
    http.server.HTTPServer.allow_reuse_address = True
    http.server.HTTPServer(("127.0.0.1", port), Healthy).serve_forever()


def crash(lines: int) -> None:
    """Say why, then fail."""
    for number in range(lines):
        sys.stdout.write(f"line {number}\n")
    sys.exit("the disk is on fire")


def deaf(port: int) -> None:
    """Be healthy and ignore every request to stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    serve(port)


def family(port: int, pid_file: str) -> None:
    """Be healthy and have a child process, whose id is written to a file."""
    child = subprocess.Popen(FOREVER)
    Path(pid_file).write_text(str(child.pid))
    serve(port)


def share(port: int, name_file: str) -> None:
    """Be healthy and hold shared memory, the name of which is written to a file."""
    memory = shared_memory.SharedMemory(create=True, size=4096)
    Path(name_file).write_text(memory.name)
    serve(port)


def main() -> None:
    """Run the program that is named."""
    match sys.argv[1:]:
        case ["serve", port]:
            serve(int(port))
        case ["deaf", port]:
            deaf(int(port))
        case ["family", port, pid_file]:
            family(int(port), pid_file)
        case ["share", port, name_file]:
            share(int(port), name_file)
        case ["crash", lines]:
            crash(int(lines))


if __name__ == "__main__":
    main()
