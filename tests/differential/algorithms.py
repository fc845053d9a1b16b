"""Signs with every algorithm, rightly and in the ways that a verifier must refuse.

Signatures are computed from the numbers of the keys, so that each run makes the same ones: ECDSA by RFC 6979, and PSS
with salts from the seed. Only those of ML-DSA are others in each run.
"""

import base64
import hashlib
import hmac
import pathlib
import random

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

DATA = pathlib.Path(__file__).parent.parent / "data"
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
# The group orders: FIPS 186-5 and SEC 2; RFC 8032 section 5.1.
ORDERS = {
    "ES256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    "ES384": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    "ES512": int(f"1{'F' * 65}A51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409", 16),
    "ES256K": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "EdDSA": 2**252 + 27742317777372353535851937790883648493,
}
CURVES = {"ES256": "p256", "ES384": "p384", "ES512": "p521", "ES256K": "secp256k1", "EdDSA": "ed25519"}
HMAC = ["HS256", "HS384", "HS512"]
PKCS1 = ["RS256", "RS384", "RS512"]
PSS = ["PS256", "PS384", "PS512"]
ECDSA = ["ES256", "ES384", "ES512", "ES256K"]
ML_DSA = ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87"]
ALL = [*HMAC, *PKCS1, *PSS, *ECDSA, "EdDSA", *ML_DSA]
# DigestInfo before the hash: RFC 8017 section 9.2, note 1.
DIGEST_INFO = {
    "sha256": "3031300d060960864801650304020105000420",
    "sha384": "3041300d060960864801650304020205000430",
    "sha512": "3051300d060960864801650304020305000440",
}
# The same without the NULL in it, so shorter by two bytes on each level.
WITHOUT_NULL = {
    name: f"30{int(info[2:4], 16) - 2:02x}300b{info[8:-8]}04{info[-2:]}" for name, info in DIGEST_INFO.items()
}

rng = random.Random(7518)


def private(name):
    return load_pem_private_key((DATA / f"{name}.pem").read_bytes(), None)


RSA, OTHER_RSA = private("rfc7515_a2"), private("rfc7520_3_4")
KEYS = {alg: private(name) for alg, name in CURVES.items()} | dict.fromkeys([*PKCS1, *PSS], RSA)
KEYS |= {alg: private(f"{alg.lower().replace('-', '_')}_seed") for alg in ML_DSA}
SECRETS = {alg: hashlib.sha512(alg.encode()).digest() for alg in HMAC}
OTHER_ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def type_of(alg):
    return getattr(mldsa, f"MLDSA{alg[-2:]}PrivateKey")


def digest(alg):
    return "sha" + (alg[2:5] if alg[2:5].isdigit() else "256")


def public_pem(alg, form=PublicFormat.SubjectPublicKeyInfo):
    return KEYS[alg].public_key().public_bytes(Encoding.PEM, form).decode()


def key_of(alg):
    """The key of a case that allows `alg`."""
    if alg in HMAC:
        return {"format": "oct-b64u", "value": base64.urlsafe_b64encode(SECRETS[alg]).rstrip(b"=").decode()}
    return {"format": "pem", "value": public_pem(alg)}


# -- signatures


def rsa_raw(key, message):
    numbers = key.private_numbers()
    length = (key.key_size + 7) // 8
    return pow(int.from_bytes(message, "big"), numbers.d, numbers.public_numbers.n).to_bytes(length, "big")


def pkcs1(key, text, name, info=None, padding=None):
    """RSASSA-PKCS1-v1_5; `info` replaces the DigestInfo before the hash, `padding` the 0xff bytes."""
    info = bytes.fromhex(DIGEST_INFO[name] if info is None else info) + hashlib.new(name, text).digest()
    room = key.key_size // 8 - 3 - len(info)
    ones = b"\xff" * room if padding is None else padding(room)
    return rsa_raw(key, (b"\0\1" + ones + b"\0" + info).ljust(key.key_size // 8, b"\0"))


def mgf1(name, seed, length):
    size = hashlib.new(name).digest_size
    parts = [hashlib.new(name, seed + count.to_bytes(4, "big")).digest() for count in range(-(-length // size))]
    return b"".join(parts)[:length]


def pss(key, text, name, salt=None, mask=None, trailer=0xBC, separator=1, above=0):
    """RSASSA-PSS, RFC 8017 section 9.1.1: `salt` and `mask` replace the length of the salt and the hash of MGF1."""
    length, size = key.key_size // 8, hashlib.new(name).digest_size
    salt = rng.randbytes({None: size, "longest": length - size - 2}.get(salt, salt))
    hashed = hashlib.new(name, bytes(8) + hashlib.new(name, text).digest() + salt).digest()
    block = (bytes([separator]) + salt).rjust(length - size - 1, b"\0")
    masked = bytearray(a ^ b for a, b in zip(block, mgf1(mask or name, hashed, len(block))))
    masked[0] = masked[0] & 0x7F | above
    return rsa_raw(key, bytes(masked) + hashed + bytes([trailer]))


def ecdsa_numbers(key, text, name):
    return decode_dss_signature(key.sign(text, ec.ECDSA(HASHES[name[3:]](), deterministic_signing=True)))


def width(alg):
    return (ORDERS[alg].bit_length() + 7) // 8


def fixed(alg, r, s, order="big"):
    return r.to_bytes(width(alg), order) + s.to_bytes(width(alg), order)


def sign(alg, text, key=None, name=None):
    name = name or digest(alg)
    if alg in HMAC:
        return hmac.new(key or SECRETS[alg], text, name).digest()
    key = key or KEYS[alg]
    if alg in PKCS1:
        return pkcs1(key, text, name)
    if alg in PSS:
        return pss(key, text, name)
    return fixed(alg, *ecdsa_numbers(key, text, name)) if alg in ECDSA else key.sign(text)


# -- signatures that are wrong


def der_integer(number):
    body = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes([2, len(body)]) + body


def der(r, s):
    body = der_integer(r) + der_integer(s)
    return bytes([0x30, *([] if len(body) < 128 else [0x81]), len(body)]) + body


def wrong_length(alg, good):
    middle = len(good) // 2
    yield from (good[:length] for length in sorted({1, 31, 32, middle, len(good) - 1}) if length < len(good))
    yield from (good + bytes(more) for more in (1, 32))
    yield from (b"\0" + good, b"\0" + good[:-1], good * 2, good.hex().encode(), good[1:])


def wrong_value(alg, good):
    yield from (bytes(len(good)), b"\xff" * len(good), good[::-1], bytes(len(good) - 1) + b"\1")
    for _ in range(4):
        flipped = bytearray(good)
        flipped[rng.randrange(len(good))] ^= 1 << rng.randrange(8)
        yield bytes(flipped)
    half = len(good) // 2
    yield good[half:] + good[:half]


def wrong_ecdsa(alg, text):
    r, s = ecdsa_numbers(KEYS[alg], text, digest(alg))
    order = ORDERS[alg]
    for pair in [(0, s), (r, 0), (0, 0), (order, s), (r, order), (order, order), (1, 1), (s, r), (r, r)]:
        yield fixed(alg, *pair)
    yield from (fixed(alg, r, s, "little"), der(r, s), der(r, s)[:-1], b"\0" + der(r, s))
    if (s + order).bit_length() <= 8 * width(alg):
        yield fixed(alg, r, s + order)


def wrong_rsa(alg, text, name):
    modulus = RSA.public_key().public_numbers().n
    good = sign(alg, text)
    yield from (number.to_bytes(256, "big") for number in (1, modulus - 1, modulus))
    if (larger := int.from_bytes(good, "big") + modulus) < 2**2048:
        yield larger.to_bytes(256, "big")
    if alg in PSS:
        yield pkcs1(RSA, text, name)
        yield from (pss(RSA, text, name, salt=salt) for salt in (0, 20, 31, "longest"))
        yield from (pss(RSA, text, name, mask=mask) for mask in ("sha1", "md5"))
        for fault in ({"trailer": 0xCC}, {"separator": 2}, {"above": 0x80}):
            yield pss(RSA, text, name, **fault)
    else:
        yield pss(RSA, text, name)
        yield pkcs1(RSA, text, name, info="")
        yield pkcs1(RSA, text, name, info=WITHOUT_NULL[name])
        yield pkcs1(RSA, text, name, padding=lambda _: b"\xff" * 8)
        yield pkcs1(RSA, text, name, padding=lambda room: b"\xff" * (room - 1) + b"\xfe")
        yield pkcs1(RSA, text, name, padding=bytes)


def wrong_ed25519(good):
    order, point, number = ORDERS["EdDSA"], good[:32], int.from_bytes(good[32:], "little")
    yield from (point + (number + times * order).to_bytes(32, "little") for times in (1, 2))
    yield from (point + bytes(32), point + order.to_bytes(32, "little"))
    # R is the identity, in its two forms, and two more points of small order.
    for low in (1, 2**255 - 18, 0, 2**255 - 20):
        yield low.to_bytes(32, "little") + good[32:]
        yield low.to_bytes(32, "little") + bytes(32)


def wrong(alg, text):
    """Pairs of a tag and a signature."""
    good = sign(alg, text)
    name = digest(alg)
    for signature in wrong_length(alg, good):
        yield "of another length", signature
    for signature in wrong_value(alg, good):
        yield "of another value", signature
    for other in (text + b".", text.split(b".")[1], b""):
        yield "over another text", sign(alg, other)
    if alg in HMAC:
        yield "of another key", sign(alg, text, bytes(64))
    elif alg in ML_DSA:
        yield "of another key", sign(alg, text, type_of(alg).from_seed_bytes(bytes(32)))
    elif alg in ECDSA:
        # A key of the same curve that anyone can compute: the number 7.
        yield "of another key", sign(alg, text, ec.derive_private_key(7, KEYS[alg].curve))
    else:
        yield "of another key", sign(alg, text, OTHER_ED25519 if alg == "EdDSA" else OTHER_RSA)
    if alg not in ("EdDSA", *ML_DSA):
        for other in sorted({"sha256", "sha384", "sha512"} - {name}):
            yield "over another hash", sign(alg, text, name=other)
    special = []
    if alg in ECDSA:
        special = wrong_ecdsa(alg, text)
    elif alg in PKCS1 + PSS:
        special = wrong_rsa(alg, text, name)
    elif alg == "EdDSA":
        special = wrong_ed25519(good)
    for signature in special:
        yield "that the algorithm does not make", signature


# -- cases


def make(case, claims, dumps, b64):
    """Calls `case(why, text, mode, alg, key, **options)` for each case."""

    def token(header, payload, alg, signature=None):
        text = f"{b64(dumps(header))}.{b64(dumps(payload))}"
        return f"{text}.{b64(sign(alg, text.encode()) if signature is None else signature)}"

    def both(why, text, alg, key, **options):
        for mode in ("jws", "jwt"):
            case(why, text, mode, alg, key, **options)

    for alg in ALL:
        key, header = key_of(alg), {"alg": alg, "typ": "JWT"}
        for _ in range(10):
            both("ordinary: each algorithm", token(header, claims(), alg), alg, key)
        text = f"{b64(dumps(header))}.{b64(dumps(claims()))}"
        for what, signature in wrong(alg, text.encode()):
            both(f"{alg}: a signature {what}", f"{text}.{b64(signature)}", alg, key)
        both(f"{alg}: no signature", f"{text}.", alg, key)
        # The token says another algorithm than the key is for, signed as it says.
        for other in [name for name in [*ALL, "none", "ES521", "PS1", "A128GCM"] if name != alg]:
            signer = other if other in ALL else alg
            both("algorithm: another than the key's", token({**header, "alg": other}, claims(), signer), alg, key)
        if alg not in HMAC:
            for name, secret in [("HS256", key["value"].encode()), ("HS512", key["value"].strip().encode())]:
                text = f"{b64(dumps({**header, 'alg': name}))}.{b64(dumps(claims()))}"
                signature = hmac.new(secret, text.encode(), digest(name)).digest()
                both("algorithm: HMAC with the public key", f"{text}.{b64(signature)}", alg, key)
    keys(case, claims, token)


def keys(case, claims, token):
    """Forms of keys, and keys of another type."""

    def ordinary(alg, pem):
        for mode in ("jws", "jwt"):
            text = token({"alg": alg}, claims(), alg)
            case("ordinary: each form of a key", text, mode, alg, {"format": "pem", "value": pem})

    for alg in [*PKCS1, *PSS]:
        ordinary(alg, public_pem(alg, PublicFormat.PKCS1))
    for alg in [*PKCS1, *PSS, *ECDSA, "EdDSA"]:
        ordinary(alg, public_pem(alg).replace("\n", "\r\n"))
        for other in sorted({"RS256", *ECDSA, "EdDSA"} - {alg, "RS256" if KEYS[alg] is RSA else ""}):
            text = token({"alg": alg}, claims(), alg)
            case("key: of another type", text, "jws", alg, {"format": "pem", "value": public_pem(other)})
    for alg in ECDSA:
        ordinary(alg, (DATA / f"{CURVES[alg]}_compressed.pem").read_text())
        # Its signature is good for the algorithm that the key is for.
        for other in ECDSA:
            if other != alg:
                text = token({"alg": alg}, claims(), other)
                case("key: of another curve", text, "jws", alg, {"format": "pem", "value": public_pem(other)})
    for alg in HMAC:
        for other in ["RS256", *ECDSA, "EdDSA"]:
            pem = public_pem(other)
            made = token({"alg": alg}, claims(), alg).rpartition(".")[0]
            signature = sign(alg, made.encode(), pem.encode())
            text = f"{made}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
            case("key: a public key as a secret", text, "jws", alg, {"format": "pem", "value": pem})
    for name in ("EdDSA", "Ed25519"):
        text = token({"alg": name}, claims(), "EdDSA")
        for mode in ("jws", "jwt"):
            both_names = ["EdDSA", "Ed25519"]
            case("ordinary: either name of Ed25519", text, mode, "EdDSA", key_of("EdDSA"), algs=both_names)
