"""Certificates of a site from an authority of its own. Pure but for the keys, which are made at random."""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_DAYS = 3_650
SERVER_DAYS = 825
# A certificate that holds for less is replaced when the site is written.
RENEW_DAYS = 90
_CLOCKS_DIFFER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, both PEM."""

    cert: str
    key: str = field(repr=False)


def new_authority(now: datetime) -> Pair:
    """An authority that can sign servers' certificates and no other authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Vigil site authority")
    usage = _usage(signs_certificates=True)
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    made = _unsigned(name, name, key, now, AUTHORITY_DAYS).add_extension(usage, critical=True)
    return _pair(made.add_extension(constraints, critical=True).sign(key, hashes.SHA256()), key)


def issued(authority: Pair, hosts: Iterable[str], now: datetime) -> Pair:
    """A certificate for a server that is reached under these names and addresses."""
    wanted = sorted(set(hosts))
    by, by_key = _read(authority)
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        _unsigned(_name(wanted[0]), by.subject, key, now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in wanted]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by_key.public_key()), critical=False)
    )
    return _pair(made.sign(by_key, hashes.SHA256()), key)


def still_holds(pair: Pair, authority: Pair, hosts: Iterable[str], now: datetime) -> bool:
    """Whether this is a certificate of the authority for exactly these hosts, which holds for `RENEW_DAYS` and more."""
    try:
        cert, key = _read(pair)
        cert.verify_directly_issued_by(_read(authority)[0])
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidSignature, x509.ExtensionNotFound):
        return False
    found = {str(name.value) for name in names}
    lasts = cert.not_valid_after_utc - now >= timedelta(days=RENEW_DAYS)
    return found == set(hosts) and lasts and key.public_key() == cert.public_key()


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pair(cert: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Pair(cert.public_bytes(serialization.Encoding.PEM).decode(), private.decode())


def _read(pair: Pair) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = serialization.load_pem_private_key(pair.key.encode(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("not a key that this module made")
    return x509.load_pem_x509_certificate(pair.cert.encode()), key
