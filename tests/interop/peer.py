"""Signs and verifies with PyJWT: one JSON request per line comes in, one JSON answer per line goes out.

A token that the library refuses is an answer; anything else that goes wrong ends the program.
"""

import json
import sys

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def about(_):
    return {"name": "pyjwt", "version": jwt.__version__}


def make_rsa_key(_):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def private(form):
        return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    def public(form):
        return key.public_key().public_bytes(Encoding.PEM, form).decode()

    return {
        "pkcs8": private(PrivateFormat.PKCS8),
        "pkcs1": private(PrivateFormat.TraditionalOpenSSL),
        "spki": public(PublicFormat.SubjectPublicKeyInfo),
        "pkcs1_public": public(PublicFormat.PKCS1),
    }


def key_of(request):
    return bytes.fromhex(request["key"]) if request["alg"] == "HS256" else request["key"]


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


operations = {"about": about, "make_rsa_key": make_rsa_key, "sign": sign, "verify": verify}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(operations[request["op"]](request)), flush=True)
