"""Writes 20,000 conformance cases over every algorithm, form of a key and kind of case, and checks the answers:

    mixed.py make >CASES
    mixed.py check CASES ANSWERS

Every case has the answer that it must get (`expect`). The check fails on a missing answer, on a panic, on another
answer than the expected one, and if a case is unsupported for another reason than `NOT_OFFERED` lists.
"""

import json
import random
import sys
from collections import Counter

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

import algorithms as signing

LINES = 20_000
NOW = 1_700_000_000
# Each algorithm, with the forms of keys that the driver must take for it.
FORMATS = {
    **dict.fromkeys(signing.HMAC, ["oct-b64u", "jwk"]),
    **dict.fromkeys([*signing.PKCS1, *signing.PSS, *signing.ECDSA, "EdDSA"], ["pem", "jwk", "jwks"]),
    **dict.fromkeys(signing.ML_DSA, ["pem", "jwk", "jwks"]),
}
# What is not offered, by kind, with the names of its algorithms. Cases with it expect `unsupported`.
NOT_OFFERED = {
    "Ed448": ["Ed448"],
    "none": ["none"],
    "JWE": ["dir", "A128KW", "A256GCM", "RSA-OAEP", "RSA-OAEP-256", "RSA1_5", "ECDH-ES", "PBES2-HS256+A128KW"],
    "b64": [],
}
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "ES256K": "secp256k1", "EdDSA": "Ed25519"}

rng = random.Random(9864)


def dumps(value):
    return json.dumps(value, separators=(",", ":"))


def b64(data):
    data = data.encode() if isinstance(data, str) else data
    return signing.base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# -- keys


def forms(alg):
    """The private and the public files of an algorithm, in each form."""
    key = signing.KEYS[alg]

    def private(form):
        return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()

    older = PrivateFormat.PKCS8 if alg in ("EdDSA", *signing.ML_DSA) else PrivateFormat.TraditionalOpenSSL
    publics = [signing.public_pem(alg)]
    if alg in signing.PKCS1 + signing.PSS:
        publics.append(signing.public_pem(alg, PublicFormat.PKCS1))
    elif alg in signing.ECDSA:
        publics.append((signing.DATA / f"{signing.CURVES[alg]}_compressed.pem").read_text())
    return [private(PrivateFormat.PKCS8), private(older)], publics


FILES = {alg: forms(alg) for alg in FORMATS if alg not in signing.HMAC}


def number(value, length=None):
    return b64(value.to_bytes(length or (value.bit_length() + 7) // 8, "big"))


def jwk_of(alg, half):
    """RFC 7518 section 6, RFC 8037 section 2, and RFC 9964 section 3."""
    if alg in signing.HMAC:
        return {"kty": "oct", "k": b64(signing.SECRETS[alg])}
    key = signing.KEYS[alg]
    if alg == "EdDSA":
        raw = {"kty": "OKP", "crv": "Ed25519", "x": b64(key.public_key().public_bytes_raw())}
        return raw if half else {**raw, "d": b64(key.private_bytes_raw())}
    if alg in signing.ML_DSA:
        raw = {"kty": "AKP", "alg": alg, "pub": b64(key.public_key().public_bytes_raw())}
        return raw if half else {**raw, "priv": b64(key.private_bytes_raw())}
    private = key.private_numbers()
    public = private.public_numbers
    if alg in signing.ECDSA:
        width = signing.width(alg)
        made = {"kty": "EC", "crv": CURVES[alg], "x": number(public.x, width), "y": number(public.y, width)}
        return made if half else {**made, "d": number(private.private_value, width)}
    made = {"kty": "RSA", "n": number(public.n), "e": number(public.e)}
    members = {"d": "d", "p": "p", "q": "q", "dp": "dmp1", "dq": "dmq1", "qi": "iqmp"}
    return made if half else {**made, **{name: number(getattr(private, of)) for name, of in members.items()}}


def key_of(alg, half):
    """A key in one of the forms of the table; `half` is 0 for the private one and 1 for the public one."""
    form = rng.choice([form for form in FORMATS[alg] if form != "jwks"])
    if form == "jwk":
        made = {**jwk_of(alg, half), **rng.choice([{}, {"use": "sig"}, {"alg": alg}, {"kid": "1", "x5t": "AAAA"}])}
        return {"format": form, "value": rng.choice([made, dumps(made)])}
    if alg in signing.HMAC:
        return signing.key_of(alg)
    text = rng.choice(FILES[alg][half])
    return {"format": form, "value": rng.choice([text, text, text.replace("\n", "\r\n"), f"a key:\n{text}\n"])}


def broken(text):
    """A key file with one mistake."""
    middle = len(text) // 2
    return rng.choice(
        [text[:middle], text.replace("\n", "\\n"), text * 2, text.replace("-----END", "-----EHD"), "", text[10:]]
        + [text.replace("KEY", "KEYS"), text[: middle - 1] + "!" + text[middle:], "key.pem", '{"kty":"RSA"}']
    )


def other_type(alg):
    """An algorithm whose keys are of another type."""
    rsa = signing.PKCS1 + signing.PSS
    others = [name for name in FILES if name != alg and not (name in rsa and alg in rsa)]
    return rng.choice(others)


# -- tokens, made beforehand because RSA takes long here


def claims():
    made = {"iss": "https://auth.example", "aud": "https://api.example", "sub": f"user{rng.randrange(1000)}"}
    return {**made, "exp": NOW + rng.randint(60, 10**6), "iat": NOW - rng.randrange(10**6), "n": rng.random()}


def token_parts(alg, is_named):
    named = {"typ": "JWT", "kid": "1"}
    header = {"alg": alg, **(named if is_named else rng.choice([{"typ": "JWT"}, {}, named, {"cty": "json", "x": [1]}]))}
    return b64(dumps(header)), b64(dumps(claims()))


def low(alg, signature):
    """The crate signs ES256K with the smaller s."""
    order, half = signing.ORDERS.get(alg, 0), len(signature) // 2
    s = int.from_bytes(signature[half:], "big")
    if alg != "ES256K" or s <= order // 2:
        return signature
    return signature[:half] + (order - s).to_bytes(half, "big")


def ready(alg):
    tokens, bad = [], []
    for count in range(12):
        text = ".".join(token_parts(alg, count == 0))
        tokens.append((text, low(alg, signing.sign(alg, text.encode()))))
    for text, _ in tokens[:1]:
        bad.extend((text, signature) for _, signature in signing.wrong(alg, text.encode()))
    return tokens, bad


READY = {alg: ready(alg) for alg in FORMATS}


def spoilt(text):
    """A token that is not one, or not this one."""
    header, payload, signature = text.split(".")
    return rng.choice(
        [
            f"{header}.{payload}.",
            f"{header}.{payload}",
            f"{header}..{signature}",
            f"{header}.{payload}.{signature}.",
            f"{payload}.{header}.{signature}",
            f" {text}",
            f"{text}\n",
            f"{text}=",
            text.replace(".", "..", 1),
            f"{header}.{payload[:-4]}.{signature}",
            "",
        ]
    )


# -- cases


def verify(alg):
    tokens, bad = READY[alg]
    mode = rng.choice(["jws", "jwt"])
    case = {"kind": "verify", "mode": mode, "alg": alg, "key": key_of(alg, 1), "options": {}, "expect": "accept"}
    if "jwks" in FORMATS[alg] and rng.random() < 0.3:
        # Entries that are not used: another type, and no key at all.
        keys = [{"kty": "X"}, {**jwk_of(alg, 1), "kid": "1"}, {}]
        rng.shuffle(keys)
        case["key"] = {"format": "jwks", "value": {"keys": keys}}
        # A set finds a key by its name.
        tokens = [made for made in tokens if "kid" in json.loads(signing.unb64(made[0].split(".")[0]))]
    text, signature = rng.choice(tokens)
    if mode == "jwt":
        expected = {"iss": "https://auth.example", "aud": "https://api.example"}
        case["options"] = {"now": NOW, "leeway": rng.choice([0, 30, 60]), **expected}
    case["token"] = f"{text}.{b64(signature)}"
    way = rng.randrange(10)
    if way == 5:
        text, signature = rng.choice(bad)
        case |= {"token": f"{text}.{b64(signature)}", "expect": "reject"}
    elif way == 6:
        case |= {"token": spoilt(case["token"]), "expect": "reject"}
    elif way == 7 and mode == "jwt":
        wrong = [{"now": NOW + 10**7}, {"iss": "https://evil.example"}, {"aud": ["x"]}, {"sub": "nobody"}]
        case["options"] |= rng.choice([*wrong, {"require": ["nonce"]}, {"max_age": 0, "now": NOW + 5, "leeway": 0}])
        case["expect"] = "reject"
    elif way == 8:
        other = rng.choice([name for name in FORMATS if name != alg])
        text, signature = rng.choice(READY[other][0])
        case |= {"token": f"{text}.{b64(signature)}", "expect": "reject"}
    elif way == 9 and alg in FILES:
        wrong = [FILES[other_type(alg)][1][0], broken(FILES[alg][1][0]), FILES[alg][0][0]]
        case |= {"key": {"format": "pem", "value": rng.choice(wrong)}, "expect": "reject"}
    return case


def raw_verify(alg):
    tokens, bad = READY[alg]
    is_good = rng.random() < 0.5
    text, signature = rng.choice(tokens if is_good else bad)
    case = {"kind": "raw-verify", "alg": alg, "key": key_of(alg, 1), "msg_hex": text.encode().hex()}
    return {**case, "sig_hex": signature.hex(), "expect": "accept" if is_good else "reject"}


def parse_key(alg):
    role = "secret" if alg in signing.HMAC else rng.choice(["public", "public", "public", "private"])
    case = {"kind": "parse-key", "alg": alg, "role": role, "key": key_of(alg, int(role == "public"))}
    case["expect"] = "accept"
    if alg in CURVES and rng.random() < 0.3:
        del case["alg"]
        case["crv"] = CURVES[alg]
    way = rng.randrange(6)
    if way == 3 and alg in FILES:
        half = int(role == "public")
        wrong = [FILES[alg][1 - half][0], broken(FILES[alg][half][0]), FILES[other_type(alg)][half][0]]
        case |= {"key": {"format": "pem", "value": rng.choice(wrong)}, "expect": "reject"}
    elif way == 3:
        wrong = [{"format": "oct-b64u", "value": value} for value in ("", "AAAA", "****", b64(bytes(31)))]
        case |= {"key": rng.choice([*wrong, {"format": "pem", "value": FILES["ES256"][1][0]}]), "expect": "reject"}
    return case


def thumbprint(alg):
    """RFC 7638 section 3."""
    required = {"RSA": "e kty n", "EC": "crv kty x y", "OKP": "crv kty x", "AKP": "alg kty pub"}
    made = jwk_of(alg, 1)
    text = dumps({name: made[name] for name in required[made["kty"]].split()})
    digest = signing.hashlib.sha256(text.encode()).digest()
    case = {"kind": "thumbprint", "key": {"format": "jwk", "value": {"kid": "1", **made}}}
    return {**case, "thumbprint_b64u": b64(digest), "expect": "accept"}


def sign_exact(alg):
    text, signature = rng.choice(READY[alg][0])
    header, payload = text.split(".")
    case = {"kind": "sign-exact", "alg": alg, "key": key_of(alg, 0), "header_b64u": header, "payload_b64u": payload}
    is_same = rng.random() < 0.8
    expect = "accept" if is_same else "reject"
    return {**case, "token": f"{text}.{b64(signature if is_same else bytes(len(signature)))}", "expect": expect}


def not_offered(alg):
    kind = rng.choice(list(NOT_OFFERED))
    case = {**rng.choice([verify, raw_verify, parse_key])(alg), "expect": "unsupported", "not_offered": kind}
    if kind == "b64":
        case |= {"kind": "verify", "mode": "jws", "token": "e30.e30.AA", "options": {"crit_understood": ["b64"]}}
        case["alg"] = alg
    elif kind == "Ed448" and case["kind"] == "parse-key" and rng.random() < 0.5:
        case.pop("alg", None)
        case |= {"crv": "Ed448", "key": {"format": "pem", "value": FILES["EdDSA"][1][0]}}
    else:
        case["alg"] = rng.choice(NOT_OFFERED[kind])
    return case


def make():
    names = list(FORMATS)
    rsa = signing.PKCS1 + signing.PSS
    for number in range(LINES):
        alg = names[number % len(names)]
        kinds = [verify] * 12 + [raw_verify] * 4 + [parse_key] * 4 + [not_offered] * 2
        # Signatures of PSS and ML-DSA are random. Others with RSA take long.
        if alg not in signing.PSS + signing.ML_DSA:
            kinds += [sign_exact] * (1 if alg in rsa else 4)
        if alg not in signing.HMAC:
            kinds.append(thumbprint)
        case = rng.choice(kinds)(alg)
        print(json.dumps({"id": str(number), **case}))


def check(cases, answers):
    cases, answers = ([json.loads(line) for line in open(path, encoding="utf-8")] for path in (cases, answers))
    assert len(cases) == len(answers) == LINES, f"{len(cases)} cases, {len(answers)} answers"
    counts, unsupported, faults = Counter(), Counter(), []
    for case, answer in zip(cases, answers):
        assert answer["id"] == case["id"], "the order of the answers"
        if answer["result"] != case["expect"]:
            faults.append(f"{answer} and not {case['expect']}\n  {json.dumps(case)[:1500]}")
        counts[case["kind"], answer["result"]] += 1
        if answer["result"] == "unsupported":
            unsupported[case.get("not_offered", "something else")] += 1
    for (kind, result), count in sorted(counts.items()):
        print(f"{kind}: {count} {result}")
    print("unsupported: " + ", ".join(f"{count} {kind}" for kind, count in sorted(unsupported.items())))
    idle = set(NOT_OFFERED) - set(unsupported)
    if idle:
        faults.append(f"offered now, so to be removed from NOT_OFFERED: {sorted(idle)}")
    if faults:
        sys.exit("\n".join(faults[:50]) + f"\n{len(faults)} faults")
    algorithms = {case["alg"] for case in cases if case["expect"] == "accept" and "alg" in case}
    print(f"{LINES} mixed cases over {len(algorithms)} algorithms: each has the right answer")


{"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
