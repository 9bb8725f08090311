"""The job that creates a trial broker's TLS certificate: `python -m deploy.kafka.certificates TRUST BROKER NAME ...`.

It creates a certificate authority, and a certificate for these names and addresses. Clients need `ca.pem` in the folder
TRUST; only the broker may read `broker.pem` in the folder BROKER, with its private key and certificate. The authority's
key is not stored, so no further certificate can be signed. Existing files stay; remove both to create new ones.
"""

import sys
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.kit.clock import utc_now

VALID = timedelta(days=3650)
"""Ten years: for a trial that lasts longer, create new files."""


def create_certificates(trust: Path, broker: Path, names: list[str]) -> bool:
    """Create both files unless they exist; return whether it did."""
    authority_file, broker_file = trust / "ca.pem", broker / "broker.pem"
    if authority_file.exists() and broker_file.exists():
        return False
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key)
    certificate = _certificate(authority, authority_key, key.public_key(), names)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    # The broker runs with another account than this job, so the file is readable and the folder restricts access.
    _write(broker_file, pkcs8 + certificate.public_bytes(Encoding.PEM))
    _write(authority_file, authority.public_bytes(Encoding.PEM))
    return True


def _write(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".new")
    draft.write_bytes(content)
    draft.chmod(0o644)
    draft.replace(file)


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _common_name("Handoff trial authority")
    builder = _start_certificate(name, name, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return builder.add_extension(usage, critical=True).add_extension(identifier, critical=False).sign(key, SHA256())


def _certificate(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePublicKey,
    names: list[str],
) -> x509.Certificate:
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _start_certificate(_common_name(names[0]), authority.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_alternative_name(name) for name in names]), critical=False)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        .add_extension(signer, critical=False)
        .sign(authority_key, SHA256())
    )


def _start_certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = utc_now()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    # The clocks of containers and clients differ a little.
    valid = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + VALID)
    return valid.serial_number(x509.random_serial_number())


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def main() -> None:
    """Run the job."""
    if len(sys.argv) < 4:  # noqa: PLR2004 - two folders and a name
        sys.exit("Usage: python -m deploy.kafka.certificates TRUST BROKER NAME ...")
    created = create_certificates(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
    sys.stdout.write("Created the certificates.\n" if created else "The certificates exist.\n")


if __name__ == "__main__":
    main()
