"""The files with which the service speaks TLS: the operator's, or a certificate made here."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from personhood.errors import TlsIncomplete
from personhood.settings import Settings
from uniqueness.files import replacing

_LIFETIME = timedelta(days=397)  # browsers take no more
_RENEW_BEFORE = timedelta(days=30)


@dataclass(frozen=True)
class TlsFiles:
    """Two PEM files.

    Args:
        certificate: and its chain.
        key: the private key of it.
        is_own: made here, signed by nobody: each kiosk has to be told to trust it.
    """

    certificate: Path
    key: Path
    is_own: bool

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate as browsers show it: hex pairs with colons between."""
        certificate = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def tls_files(settings: Settings, host: str) -> TlsFiles:
    """Find the operator's files, or make some for a host under `home`.

    Raises:
        TlsIncomplete: one of the settings is missing, or a file cannot be read.
    """
    given = settings.tls_certificate, settings.tls_key
    if given == (None, None):
        return _own_files(settings.data_dir(), host)
    certificate, key = given
    if certificate is None or key is None:
        raise TlsIncomplete("set both PERSONHOOD_TLS_CERTIFICATE and PERSONHOOD_TLS_KEY, or none")
    try:
        files = TlsFiles(certificate.expanduser(), key.expanduser(), is_own=False)
        public = x509.load_pem_x509_certificate(files.certificate.read_bytes()).public_key()
        private = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise TlsIncomplete(
            "the files of PERSONHOOD_TLS_CERTIFICATE and PERSONHOOD_TLS_KEY cannot be read: they "
            "have to be PEM, the key without a password"
        ) from error
    if private.public_key() != public:
        raise TlsIncomplete("PERSONHOOD_TLS_KEY is not the key of PERSONHOOD_TLS_CERTIFICATE")
    return files


def _own_files(home: Path, host: str) -> TlsFiles:
    files = TlsFiles(home / "tls-certificate.pem", home / "tls-key.pem", is_own=True)
    if not _still_good(files, host):
        key = ec.generate_private_key(ec.SECP256R1())
        with replacing(files.key) as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        with replacing(files.certificate) as file:
            file.write(_sign(key, host).public_bytes(serialization.Encoding.PEM))
    return files


def _still_good(files: TlsFiles, host: str) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = serialization.load_pem_private_key(files.key.read_bytes(), password=None)
    except (OSError, ValueError):
        return False
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    fits = key.public_key() == certificate.public_key() and set(_names(host)) <= set(names)
    return fits and left > _RENEW_BEFORE


def _sign(key: ec.EllipticCurvePrivateKey, host: str) -> x509.Certificate:
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "personhood")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(_names(host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _names(host: str) -> list[x509.GeneralName]:
    loopback = ipaddress.ip_address("127.0.0.1")
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.IPAddress(loopback)]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return [*names, x509.DNSName(host)] if host != "localhost" else names
    if address.is_unspecified or address == loopback:
        return names
    return [*names, x509.IPAddress(address)]
