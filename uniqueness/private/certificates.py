"""A TLS key and a certificate that nobody but its key signs, made once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from uniqueness.errors import TrustInvalid
from uniqueness.files import replacing

# Others pin it, so its end is not what ends the trust in it; `party init` in a new place does.
_LIFETIME: Final = timedelta(days=3650)


def make_certificate(certificate: Path, key: Path, name: str) -> str:
    """Make a key and its certificate where there are none; never overwrites either.

    Args:
        certificate, key: PEM files; the key's is for its owner alone.
        name: common name, for people who look at it.

    Returns:
        The certificate's PEM.

    Raises:
        TrustInvalid: one is there without the other, or they do not belong together.
    """
    try:
        if not key.exists():
            _write_key(key)
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TrustInvalid(f"{key} is no key that this program made")
        if not certificate.exists():
            with replacing(certificate) as file:
                file.write(_sign(private, name).public_bytes(serialization.Encoding.PEM))
        pem = certificate.read_text()
        public = x509.load_pem_x509_certificate(pem.encode()).public_key()
    except (OSError, ValueError) as error:
        raise TrustInvalid(f"{key} and {certificate} cannot be used") from error
    if public != private.public_key():
        raise TrustInvalid(f"{key} is not the key of {certificate}")
    return pem


def _write_key(path: Path) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with replacing(path) as file:
        file.write(pem)


def _sign(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"personhood {name}")])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))  # clocks differ
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
