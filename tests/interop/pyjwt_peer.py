"""Signs and verifies with PyJWT: one JSON request per line comes in, one JSON answer per line goes out.

A token that the library refuses is an answer; anything else that goes wrong ends the program.
"""

import json
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1, "ES256K": ec.SECP256K1}
ML_DSA = {
    "ML-DSA-44": mldsa.MLDSA44PrivateKey,
    "ML-DSA-65": mldsa.MLDSA65PrivateKey,
    "ML-DSA-87": mldsa.MLDSA87PrivateKey,
}


def about(_):
    algorithms = sorted(set(jwt.algorithms.get_default_algorithms()) - {"none"})
    return {"name": "pyjwt", "version": jwt.__version__, "algorithms": algorithms}


def make_key(request):
    """Makes a key pair with the package cryptography, in each form that it writes."""
    alg = request["alg"]
    if alg == "EdDSA":
        key = ed25519.Ed25519PrivateKey.generate()
    elif alg in CURVES:
        key = ec.generate_private_key(CURVES[alg]())
    elif alg in ML_DSA:
        key = ML_DSA[alg].generate()
    else:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def private(form):
        return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    def public(form):
        return key.public_key().public_bytes(Encoding.PEM, form).decode()

    pkcs8, spki = private(PrivateFormat.PKCS8), public(PublicFormat.SubjectPublicKeyInfo)
    older, older_public = pkcs8, spki
    if alg != "EdDSA" and alg not in ML_DSA:
        older = private(PrivateFormat.TraditionalOpenSSL)
    if isinstance(key, rsa.RSAPrivateKey):
        older_public = public(PublicFormat.PKCS1)
    return {"pkcs8": pkcs8, "spki": spki, "older": older, "older_public": older_public}


def key_of(request):
    return bytes.fromhex(request["key"]) if request["alg"].startswith("HS") else request["key"]


def sign(request):
    headers = {"kid": request["kid"]} if "kid" in request else None
    return {"token": jwt.encode(request["claims"], key_of(request), request["alg"], headers)}


def verify(request):
    try:
        token = jwt.decode_complete(
            request["token"],
            key_of(request),
            algorithms=[request["alg"]],
            issuer=request["issuer"],
            audience=request["audience"],
            options={"require": ["exp"]},
        )
    except jwt.PyJWTError as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    return {"header": token["header"], "claims": token["payload"]}


operations = {"about": about, "make_key": make_key, "sign": sign, "verify": verify}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(operations[request["op"]](request)), flush=True)
