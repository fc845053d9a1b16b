"""Keys of `cryptography`: `make FOLDER` writes them, `use FOLDER ALGORITHM...` signs with those of countersign."""

import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
    load_pem_public_key,
)

command, folder, *algorithms = sys.argv[1:]
folder = Path(folder)
encodings = [("pem", Encoding.PEM), ("der", Encoding.DER)]
curves = {
    "ES256": (ec.SECP256R1(), hashes.SHA256()),
    "ES384": (ec.SECP384R1(), hashes.SHA384()),
    "ES512": (ec.SECP521R1(), hashes.SHA512()),
    "ES256K": (ec.SECP256K1(), hashes.SHA256()),
}


def make(name, key):
    place = folder / name
    place.mkdir()
    public = key.public_key()
    for extension, encoding in encodings:
        for form, private in [
            ("pkcs8", key.private_bytes(encoding, PrivateFormat.PKCS8, NoEncryption())),
            ("encrypted", key.private_bytes(encoding, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))),
        ]:
            (place / f"private.{form}.{extension}").write_bytes(private)
        (place / f"public.spki.{extension}").write_bytes(public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo))
        if isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
            private = key.private_bytes(encoding, PrivateFormat.TraditionalOpenSSL, NoEncryption())
            (place / f"private.traditional.{extension}").write_bytes(private)
        if isinstance(key, rsa.RSAPrivateKey):
            (place / f"public.pkcs1.{extension}").write_bytes(public.public_bytes(encoding, PublicFormat.PKCS1))
    if isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"secret"))
        (place / "private.encrypted-traditional.pem").write_bytes(encrypted)
    if name in ("RS256", "ES256", "EdDSA"):
        private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
        (place / "private.openssh.pem").write_bytes(private)
        (place / "public.openssh.txt").write_bytes(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH))


def use(name):
    private = load_pem_private_key((folder / name / "private.pem").read_bytes(), None)
    publics = [
        load_pem_public_key((folder / name / "public.pem").read_bytes()),
        load_der_public_key((folder / name / "public.der").read_bytes()),
    ]
    message = (folder / "message").read_bytes()
    if name == "RS256":
        arguments = [padding.PKCS1v15(), hashes.SHA256()]
    elif name in curves:
        arguments = [ec.ECDSA(curves[name][1])]
    else:
        arguments = []
    signature = private.sign(message, *arguments)
    for public in publics:
        public.verify(signature, message, *arguments)
    (folder / name / "signature").write_bytes(signature)


if command == "make":
    make("RS256", rsa.generate_private_key(65537, 2048))
    for name, (curve, _) in curves.items():
        make(name, ec.generate_private_key(curve))
    make("EdDSA", ed25519.Ed25519PrivateKey.generate())
    make("EdDSA.x25519", x25519.X25519PrivateKey.generate())
    make("EdDSA.ed448", ed448.Ed448PrivateKey.generate())
    for name in algorithms:
        from cryptography.hazmat.primitives.asymmetric import mldsa

        make(name, getattr(mldsa, name.replace("-", "") + "PrivateKey").generate())
else:
    for name in algorithms:
        use(name)
