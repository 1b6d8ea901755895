"""Certificates of an authority that a test makes, with the `openssl` command."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

_REQUEST = """
[req]
distinguished_name = name
prompt = no
[name]
CN = {name}
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {hosts}
"""
LOCAL = ("DNS:localhost", "IP:127.0.0.1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files of a server: its certificate and its private key."""

    cert: Path
    key: Path

    def replace_with(self, other: "Certificate") -> None:
        """Write another certificate in the place of this one, as whoever renews it does."""
        for mine, others in ((self.cert, other.cert), (self.key, other.key)):
            fresh = mine.with_suffix(".new")
            fresh.write_bytes(others.read_bytes())
            fresh.replace(mine)


class Authority:
    """An authority of its own in `folder`; clients trust it by the PEM file `ca`."""

    def __init__(self, folder: Path, name: str = "Vigil test authority") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.ca, self._key = folder / "ca.crt", folder / "ca.key"
        self._make(name, "authority", self.ca, self._key, ())

    def certificate(self, name: str = "server", hosts: tuple[str, ...] = LOCAL, days: int = 2) -> Certificate:
        """A new certificate for these hosts, in the files `name`.crt and `name`.key, which expires in so many days."""
        made = Certificate(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        self._make(name, "server", made.cert, made.key, ("-CA", str(self.ca), "-CAkey", str(self._key)), hosts, days)
        return made

    def _make(
        self,
        name: str,
        kind: str,
        cert: Path,
        key: Path,
        signed_by: tuple[str, ...],
        hosts: tuple[str, ...] = LOCAL,
        days: int = 2,
    ) -> None:
        request = self._folder / f"{name}.cnf"
        request.write_text(_REQUEST.format(name=name, hosts=", ".join(hosts)), "utf-8")
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-config", str(request), "-extensions", kind),
                *("-days", str(days), "-nodes"),
                *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *signed_by),
                *("-keyout", str(key), "-out", str(cert)),
            ],
            check=True,
            capture_output=True,
        )


def nats_tls(certificate: Certificate) -> str:
    """The lines of a configuration of NATS that give it this certificate."""
    return f'tls {{ cert_file: "{certificate.cert}", key_file: "{certificate.key}" }}\n'
