"""Writes conformance cases: ordinary, odd and hostile tokens, one JSON object per line, the same in every run.

`why` says how the token was made. It is all that `differences.md` may refer to, so it names one thing only.
"""

import base64
import hashlib
import hmac
import json
import random
import sys

import algorithms as signing

NOW = 1_700_000_000
SECRET = hashlib.sha256(b"countersign differential").digest()
ISSUER = "https://auth.example"
AUDIENCE = "https://api.example"
HEADER = {"alg": "HS256", "typ": "JWT"}
# How often each way of making a token is used, each time with other claims around it.
ROUNDS = 3

rng = random.Random(7519)
cases = []


# -- making tokens


def b64(data):
    data = data.encode() if isinstance(data, str) else data
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def mac(text, key=SECRET, digest="sha256"):
    return b64(hmac.new(key, text.encode(), digest).digest())


def dumps(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def token(header=HEADER, payload="{}"):
    """Values are written as JSON; texts and bytes stand as they are."""
    header, payload = (part if isinstance(part, (str, bytes)) else dumps(part) for part in (header, payload))
    return sealed(b64(header) + "." + b64(payload))


def sealed(text):
    return text + "." + mac(text)


def words(most=12):
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 -_./:éßλж中😀"
    return "".join(rng.choice(letters) for _ in range(rng.randint(1, most)))


def value(depth=3):
    kind = rng.randrange(8 if depth else 5)
    if kind == 0:
        return rng.randint(-(2**40), 2**40)
    if kind == 1:
        return rng.choice([True, False, None])
    if kind == 2:
        return round(rng.uniform(-1e6, 1e6), 3)
    if kind < 5:
        return words()
    if kind < 7:
        return {words(): value(depth - 1) for _ in range(rng.randint(0, 4))}
    return [value(depth - 1) for _ in range(rng.randint(0, 4))]


def claims(**others):
    """Claims that the usual options accept, in any order; `others` replace or, if `...`, remove."""
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": words(), "exp": NOW + rng.randint(60, 10**6)}
    if rng.random() < 0.5:
        made["iat"] = NOW - rng.randint(0, 10**6)
    if rng.random() < 0.3:
        made["nbf"] = NOW - rng.randint(0, 10**6)
    if rng.random() < 0.3:
        made["jti"] = words(36)
    for _ in range(rng.randint(0, 4)):
        made["x" + words(6)] = value()
    made.update(others)
    members = [(name, value) for name, value in made.items() if value is not ...]
    rng.shuffle(members)
    return dict(members)


def with_text(text, **others):
    """The JSON text of claims with `text` as their last member or members."""
    return dumps(claims(**others))[:-1] + "," + text + "}"


# -- cases


def case(why, text, mode="jwt", alg="HS256", key=None, **options):
    if mode == "jwt":
        options = {"now": NOW, "iss": ISSUER, "aud": AUDIENCE, **options}
    options = {name: value for name, value in options.items() if value is not ...}
    cases.append(
        {
            "id": f"{len(cases)}",
            "kind": "verify",
            "mode": mode,
            "why": why,
            "alg": alg,
            "key": key or {"format": "oct-b64u", "value": b64(SECRET)},
            "token": text,
            "options": options,
        }
    )


def both(why, text, **options):
    case(why, text, "jws", **options)
    case(why, text, "jwt", **options)


def headers(why, *texts, **options):
    for text in texts:
        both(why, token(text, claims()), **options)


def payloads(why, *texts, **options):
    for text in texts:
        case(why, token(HEADER, text), **options)


def ordinary():
    for _ in range(20):
        case("ordinary: claims", token(HEADER, claims()))
    for _ in range(6):
        both("ordinary: bytes of any kind", token({"alg": "HS256"}, claims()))
        case("ordinary: bytes of any kind", token(HEADER, rng.randbytes(rng.randint(0, 200))), "jws")
    indent = rng.choice(["\n", "\t", "\r\n", " "])
    case("ordinary: white space", token(json.dumps(HEADER, indent=indent), json.dumps(claims(), indent=indent)))
    case(
        "ordinary: escapes",
        token(HEADER, json.dumps(claims(sub='\u00e9\U0001f600\u2028"\\/\x00')).replace("sub", "s\\u0075b")),
    )
    headers("ordinary: an escaped alg", r'{"\u0061lg":"HS256"}', r'{"alg":"\u0048S256"}', r'{"alg":"HS\u003256"}')
    headers(
        "ordinary: parameters nobody knows",
        {**HEADER, words(): value()},
        {**HEADER, "url": "https://x.example", "nonce": words()},
    )
    headers(
        "key id: of no key, and the only key has none",
        {**HEADER, "kid": words(60)},
        {**HEADER, "kid": "../../etc/passwd"},
        {**HEADER, "kid": "' OR 1=1 --\0"},
    )
    headers("ordinary: content type", {**HEADER, "cty": rng.choice(["json", 'example;part="1/2"', ""])})
    headers(
        "ordinary: typ in another case",
        {"alg": "HS256", "typ": "jwt"},
        {"alg": "HS256", "typ": "application/JWT"},
        {"typ": "Jwt", "alg": "HS256"},
    )
    headers(
        "ordinary: members called as those of objects are",
        '{"alg":"HS256","__proto__":{"alg":"none"}}',
        '{"alg":"HS256","constructor":1,"toString":"x"}',
    )
    payloads(
        "ordinary: members called as those of objects are",
        with_text('"__proto__":{"exp":1},"constructor":{"prototype":{}},"hasOwnProperty":1'),
    )
    payloads(
        "ordinary: nested members that stand twice",
        with_text('"x":{"a":1,"a":2}'),
        with_text('"x":[{"exp":1,"exp":2}]'),
    )
    payloads(
        "ordinary: numbers without a type",
        with_text('"n":1e400'),
        with_text('"n":-0.0'),
        with_text('"n":' + "9" * 400),
    )
    payloads("ordinary: several audiences", claims(aud=[words(), AUDIENCE, words()]), claims(aud=[AUDIENCE]))
    payloads(
        "ordinary: one of several expectations", claims(), iss=["https://old.example", ISSUER], aud=["x", AUDIENCE]
    )
    payloads("ordinary: neither issuer nor audience", claims(iss=..., aud=...), iss=..., aud=...)
    payloads("ordinary: an issuer that nobody asked for", claims(aud=...), iss=..., aud=...)
    payloads("ordinary: claims in other cases", claims(Exp=1, EXP="x", Aud=5, **{"ſub": 1}))
    payloads("ordinary: required claims", claims(jti="7", nonce=5), require=["jti", "nonce", "exp"])
    payloads("ordinary: subject", claims(sub="ann"), sub="ann")


def encoding():
    header, payload = b64(dumps(HEADER)), b64(dumps(claims()))
    for name in ("header", "payload", "signature"):

        def odd(why, change, name=name):
            text = None
            for _ in range(200):
                # Other claims, until the segment has what is to be changed.
                parts = [b64(dumps({**HEADER, "x": words()})), b64(dumps(claims()))]
                if name == "signature":
                    signature = mac(".".join(parts))
                    changed = change(signature)
                    text = changed and ".".join([*parts, changed])
                else:
                    place = ("header", "payload").index(name)
                    parts[place] = change(parts[place])
                    text = parts[place] and sealed(".".join(parts))
                if text:
                    return both(f"encoding: {why} in the {name}", text)
            raise SystemExit(f"no token for {why}")

        def insert(text):
            return lambda segment: (lambda at: segment[:at] + text + segment[at:])(rng.randint(0, len(segment)))

        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

        def stray(segment):
            left = len(segment) % 4
            last = alphabet.index(segment[-1])
            return left > 1 and segment[:-1] + alphabet[last | rng.randint(1, 15 if left == 2 else 3)]

        odd("stray bits", stray)
        odd("right padding", lambda segment: len(segment) % 4 and segment + "=" * (-len(segment) % 4))
        odd(
            "needless padding",
            lambda segment: len(segment) % 4 == 0
            and segment + rng.choice(["=", "=="])
            or (name == "signature" and segment + "=="),
        )
        odd("padding in the middle", lambda segment: segment[:4] + "=" + segment[4:])
        odd("white space", insert(rng.choice([" ", "\t", "\n", "\r", "\r\n", "\f"])))
        odd("a foreign character", insert(rng.choice(list("!*%,~?|$\0\x0b\x7f") + ["é", "ｅ", "\u00a0", "\u2028"])))
        odd(
            "one character alone",
            lambda segment: segment + "A" * ((1 - len(segment)) % 4 or 4) if name != "signature" else segment + "AA",
        )
        if name != "header":
            odd(
                "the other alphabet",
                lambda segment: {"-", "_"} & set(segment) and segment.replace("-", "+").replace("_", "/"),
            )
    both("encoding: a header in base64 twice", sealed(b64(header) + "." + payload))


def shape():
    good = token(HEADER, claims())
    header, payload, signature = good.split(".")
    bad = [
        "",
        ".",
        "..",
        "...",
        "." * 1000,
        header,
        f"{header}.{payload}",
        f"{header}.{payload}.",
        f".{payload}.{signature}",
        f"{header}..{signature}",
        f"{good}.",
        f".{good}",
        f"{good}.{signature}",
        f"{header}.{payload}..{signature}",
        f"{header}.{header}.{payload}.{payload}.{signature}",
        f"{payload}.{header}.{signature}",
        header + payload + signature,
        sealed(f".{payload}"),
        sealed(f"{header}.{payload}.{payload}"),
        sealed(header),
        sealed(f"{header}/{payload}"),
        json.dumps({"protected": header, "payload": payload, "signature": signature}),
        json.dumps({"payload": payload, "signatures": [{"protected": header, "signature": signature}]}),
        json.dumps(good),
        f"Bearer {good}",
        f" {good}",
        f"{good}\n",
        f"{good}\r\n",
        f"\ufeff{good}",
        f"{good}\0",
        f"{good};",
        good + "é",
        good.replace(".", "%2E"),
        good.replace(".", "\uff0e"),
        good.upper(),
        good.lower(),
        good[::-1],
    ]
    for text in bad:
        # Spaces around a signature are a matter of encoding, not of shape.
        why = "shape: white space behind the token" if text in (f"{good}\n", f"{good}\r\n") else "shape: not a token"
        why = "shape: white space before the token" if text == f" {good}" else why
        both(why, text)
    case("shape: an empty payload", sealed(b64(dumps(HEADER)) + "."), "jws")
    case("shape: no claims", sealed(b64(dumps(HEADER)) + "."))


def signatures():
    text = b64(dumps(HEADER)) + "." + b64(dumps(claims()))
    other = b64(dumps(HEADER)) + "." + b64(dumps(claims()))
    raw = hmac.new(SECRET, text.encode(), "sha256").digest()
    flipped = bytearray(raw)
    flipped[rng.randrange(32)] ^= 1 << rng.randrange(8)
    at = rng.randrange(len(text))
    for signature in [
        b64(raw[: rng.randint(0, 31)]),
        b64(raw + rng.randbytes(rng.randint(1, 40))),
        b64(bytes(32)),
        b64(bytes(flipped)),
        mac(other),
        mac(text, bytes(32)),
        mac(text, b""),
        mac(text, b64(SECRET).encode()),
        mac(text, SECRET.hex().encode()),
        mac(text, SECRET[:-1]),
        mac(text, digest="sha512"),
        mac(text, digest="sha1"),
        b64(hashlib.sha256(text.encode()).digest()),
        b64(raw.hex()),
        b64(b64(raw)),
        b64(raw[::-1]),
        mac(text)[:-1],
        mac(text) * 2,
        "A" * 43,
        mac(text.split(".")[1]),
        mac(text + "."),
        mac(f"{dumps(HEADER)}.{{}}"),
    ]:
        both("signature: not of this key over this token", f"{text}.{signature}")
    changed = text[:at] + rng.choice([c for c in "ABCxyz019-_" if c != text[at]]) + text[at + 1 :]
    both("signature: a character changed after signing", f"{changed}.{b64(raw)}")
    both("signature: longer than any", f"{text}.{'A' * 4000}")
    for digest, alg in [("sha384", "HS384"), ("sha512", "HS512"), ("sha256", "HS512")]:
        text = b64(dumps({**HEADER, "alg": alg})) + "." + b64(dumps(claims()))
        both("signature: of another algorithm", f"{text}.{mac(text, digest=digest)}")
    secret = rng.randbytes(32)
    jwk = {"kty": "oct", "k": b64(secret)}
    for more in [
        {"jwk": jwk},
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/x"},
        {"x5c": [base64.b64encode(secret).decode()]},
        {"kid": b64(secret)},
    ]:
        text = b64(dumps({**HEADER, **more})) + "." + b64(dumps(claims()))
        both("signature: of a key in the header", f"{text}.{mac(text, secret)}")
        right = (
            "key id: of no key, and the only key has none"
            if "kid" in more
            else "ordinary: a key in the header, and the right signature"
        )
        both(right, sealed(text))


def algorithms():
    names = [
        "none",
        "None",
        "NONE",
        "nOnE",
        "none ",
        "",
        "hs256",
        "Hs256",
        "HS256 ",
        " HS256",
        "HS256\0",
        "HS-256",
        "HS384",
        "RS256",
        "ES256",
        "EdDSA",
        "PS256",
        "ES256K",
        "dir",
        "A128KW",
        "RSA-OAEP",
        "HMACSHA256",
        "HS256,none",
        "HS\u0662\u0665\u0666",
        "ＨＳ256",
        "__proto__",
        "x" * 300,
    ]
    for name in names:
        text = b64(dumps({**HEADER, "alg": name})) + "." + b64(dumps(claims()))
        for signed in [sealed(text), text + ".", text + "." + mac(text, b""), text + "." + b64(rng.randbytes(64))]:
            both("algorithm: another name", signed)
    for odd in [None, True, 0, 256, ["HS256"], [], {}, {"HS256": "HS256"}, 1.5]:
        headers("algorithm: not a text", {**HEADER, "alg": odd})
    headers(
        "algorithm: missing",
        {"typ": "JWT"},
        {},
        {"ALG": "HS256"},
        {"Alg": "HS256", "typ": "JWT"},
        {"alg ": "HS256"},
        {"header": HEADER},
    )
    payloads("algorithm: in the payload", claims(alg="none"))
    headers("algorithm: in the payload only", {"typ": "JWT", "kid": "1"})


def json_text():
    extra = words(8).replace("-", "")
    twice_header = [
        '{"alg":"HS256","alg":"HS256"}',
        '{"alg":"none","alg":"HS256"}',
        r'{"alg":"HS256","\u0061lg":"HS256"}',
        '{"typ":"JWT","alg":"HS256","typ":"JWT"}',
        '{"alg":"HS256","kid":"1","kid":"2"}',
        '{"alg":"HS256","x":1,"x":1}',
        r'{"alg":"HS256","x":1,"\u0078":2}',
        '{"alg":"HS256","":0,"":0}',
    ]
    headers("json: a parameter twice", *twice_header)
    headers(
        "json: alg twice, the last one wrong", '{"alg":"HS256","alg":"none"}', r'{"alg":"HS256","al\u0067":"RS256"}'
    )
    name = rng.choice(["iss", "aud", "sub"])
    payloads(
        "json: a claim twice",
        with_text(f'"{name}":"{extra}","{name}":{dumps(claims(sub="z")[name])}', **{name: ...}),
        with_text('"role":"user","role":"admin"'),
        with_text(r'"role":"user","rol\u0065":"admin"'),
        with_text(f'"exp":1,"exp":{NOW + 99}', exp=...),
        with_text(r'"\u0065xp":%d' % (NOW + 99)),
        with_text('"":1,"":2'),
        with_text(f'"{name}":{dumps(claims(sub="z")[name])}', **{name: claims(sub="z")[name]}),
    )
    payloads(
        "json: exp twice, the last one past",
        with_text(f'"exp":{NOW + 99},"exp":1', exp=...),
        with_text(r'"\u0065xp":1'),
    )
    good_header, good = dumps(HEADER), dumps(claims())
    surrogate = rng.choice([r"\ud800", r"\udfff", r"\ud83d\u0041", r"x\ude00\ud83d"])
    bad = [
        lambda text: text + "x",
        lambda text: text + ",",
        lambda text: text + text,
        lambda text: text + "\0",
        lambda text: text[:-1],
        lambda text: text[:-1] + ",}",
        lambda text: text[:-1] + ',"x"}',
        lambda text: text[:-1] + ',"x":}',
        lambda text: text[:-1] + ",x:1}",
        lambda text: "/**/" + text,
        lambda text: text + "//",
        lambda text: text.replace('"', "'"),
        lambda text: text[:-1] + ",'x':1}",
        lambda text: text[:-1] + ',"x":+1}',
        lambda text: text[:-1] + ',"x":01}',
        lambda text: text[:-1] + ',"x":.5}',
        lambda text: text[:-1] + ',"x":1.}',
        lambda text: text[:-1] + ',"x":0x10}',
        lambda text: text[:-1] + ',"x":"\n"}',
        lambda text: text[:-1] + ',"x":"\t"}',
        lambda text: text[:-1] + ',"\0":1}',
        lambda text: text[:-1] + r',"x":"\x41"}',
        lambda text: text[:-1] + r',"x":"\u12"}',
        lambda text: text[:-1] + ',"x":True}',
        lambda text: text[:-1] + ',"x":undefined}',
        lambda text: "\x0b" + text,
        lambda text: text + "\u00a0",
        lambda text: "\u2028" + text,
        lambda text: text.replace(":", "=", 1),
        lambda text: "[" + text,
        lambda text: text + "}",
        lambda text: "[" + text + "]",
        lambda text: dumps(text),
        lambda _: "",
        lambda _: "null",
        lambda _: "true",
        lambda _: "0",
        lambda _: "[]",
        lambda _: '""',
        lambda _: " ",
    ]
    for change in bad:
        headers("json: not one object", change(good_header))
        payloads("json: not one object", change(good))
    for literal in ["NaN", "Infinity", "-Infinity"]:
        headers("json: numbers that JSON has not", good_header[:-1] + f',"x":{literal}}}')
        payloads(
            "json: numbers that JSON has not", good[:-1] + f',"x":{literal}}}', good[:-1] + f',"x":[{literal}]}}'
        )
    headers("json: a byte order mark", b"\xef\xbb\xbf" + good_header.encode())
    payloads("json: a byte order mark", b"\xef\xbb\xbf" + good.encode())
    for wide in ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]:
        headers("json: a wider encoding", good_header.encode(wide))
        payloads("json: a wider encoding", good.encode(wide))
    for raw in [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe9", b"\x80", b"\xf0\x9f\x98"]:
        headers(
            "json: bytes that are not UTF-8",
            good_header.encode()[:-1] + b',"x":"' + raw + b'"}',
            good_header.encode()[:-1] + b',"' + raw + b'":1}',
        )
        payloads(
            "json: bytes that are not UTF-8",
            good.encode()[:-1] + b',"x":"' + raw + b'"}',
            good.encode()[:-1] + b',"' + raw + b'":1}',
        )
    headers(
        "json: half a surrogate pair",
        good_header[:-1] + f',"x":"{surrogate}"}}',
        good_header[:-1] + f',"{surrogate}":1}}',
    )
    payloads(
        "json: half a surrogate pair",
        good[:-1] + f',"x":"{surrogate}"}}',
        good[:-1] + f',"{surrogate}":1}}',
        with_text(f'"sub":"{surrogate}"', sub=...),
    )
    reserved = "$serde_json::private::" + rng.choice(["Number", "RawValue", "X"])
    headers("json: a reserved name", {**HEADER, reserved: "1"})
    payloads("json: a reserved name", claims(**{reserved: "1"}))
    payloads("ordinary: a reserved name further in", claims(x={reserved: "1"}), claims(x=[{"a": {reserved: "{}"}}]))


def critical():
    def crit(why, crit, **more):
        headers(why, {**HEADER, "crit": crit, **more})

    crit("crit: names what nobody understands", [extension := "x-" + words(5)], **{extension: True})
    crit("crit: names what nobody understands", ["exp"], exp=NOW)
    crit("crit: names what is not there", [rng.choice(["http://example.com/x", "nope", ""])])
    for odd in [[], None, "exp", "", {}, {"exp": 1}, 1, True, [None], [1], [["exp"]], [{}], ["exp", None]]:
        crit("crit: malformed", odd, exp=1)
    for name in ["alg", "typ", "kid", "crit", "jwk", "enc", "zip", "x5t#S256"]:
        crit("crit: names a standard parameter", [name], **({} if name in ("alg", "typ", "crit") else {name: "1"}))
    crit("crit: names b64, which is true", ["b64"], b64=True)
    crit("crit: names b64 twice", ["b64", "b64"], b64=True)
    crit("crit: names b64, which is not there", ["b64"])
    payloads("ordinary: crit in the payload", claims(crit=["exp"]))
    for why, understood, crit_value in [
        ("crit: an understood extension", ["x-a"], ["x-a"]),
        ("crit: an understood extension twice", ["x-a"], ["x-a", "x-a"]),
        ("crit: one of two understood", ["x-a"], ["x-a", "x-b"]),
    ]:
        headers(why, {**HEADER, "crit": crit_value, "x-a": value(), "x-b": 1}, crit_understood=understood)
    headers("crit: an understood extension that is not there", {**HEADER, "crit": ["x-a"]}, crit_understood=["x-a"])
    headers("ordinary: an understood extension outside of crit", {**HEADER, "x-a": 1}, crit_understood=["x-a"])

    headers("b64: true, without crit", {**HEADER, "b64": True})
    for odd in [None, "false", 0, "", [], {}, "true", 1]:
        headers("b64: not a boolean", {**HEADER, "b64": odd})
        crit("b64: not a boolean, in crit", ["b64"], b64=odd)
    for head in [{**HEADER, "b64": False}, {**HEADER, "b64": False, "crit": ["b64"]}]:
        name = "b64: false" + (", in crit" if "crit" in head else ", without crit")
        encoded, text = b64(dumps(head)), dumps(claims())
        both(f"{name}, and the payload encoded", sealed(f"{encoded}.{b64(text)}"))
        both(f"{name}, and the payload empty", sealed(f"{encoded}."))
        both(f"{name}, and the payload detached", f"{encoded}..{mac(f'{encoded}.{text}')}")
        case(f"{name}, and the payload plain", sealed(f"{encoded}.$02 {rng.randrange(1000)}"), "jws")
        case(
            f"{name}, and the payload plain, in the alphabet", sealed(f"{encoded}.payload{rng.randrange(10)}"), "jws"
        )
        case(
            f"{name}, and the payload plain claims",
            sealed(f'{encoded}.{{"iss":"me","exp":{NOW + 60}}}'),
            iss=...,
            aud=...,
        )


def header_parameters():
    for odd in [None, 1, True, [], {}, ["1"], 1.5]:
        headers("header: kid is no text", {**HEADER, "kid": odd})
        headers("header: typ is no text", {**HEADER, "typ": odd})
        headers("header: cty is no text", {**HEADER, "cty": odd})
    headers("header: a kid beyond the limit", {**HEADER, "kid": "k" * (1025 + rng.randrange(100))})
    headers("key id: of no key, and the only key has none", {**HEADER, "kid": "k" * 1024})
    headers("key id: of no key, and the only key has none", {**HEADER, "kid": ""})
    for typ in [
        "at+jwt",
        "application/at+jwt",
        "dpop+jwt",
        "JOSE",
        "JWE",
        "",
        " JWT",
        "JWT ",
        "text/JWT",
        "application/x/JWT",
        "JWT\0",
        "ＪＷＴ",
        "id+jwt",
        "application/",
    ]:
        payload = claims()
        case("typ: another, and none asked for", token({**HEADER, "typ": typ}, payload))
        case("ordinary: any typ of a JWS", token({**HEADER, "typ": typ}, payload), "jws")
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+JWT"]:
        case("ordinary: the typ that is asked for", token({**HEADER, "typ": typ}, claims()), typ="at+jwt")
    for typ in [
        "JWT",
        "",
        "at+jw",
        "at+jwt ",
        "x/at+jwt",
        "application/application/at+jwt",
        "at+jwt;v=1",
        "at\u212a+jwt",
        None,
        1,
        ["at+jwt"],
    ]:
        case("typ: not the one that is asked for", token({**HEADER, "typ": typ}, claims()), typ="at+jwt")
    case("typ: not the one that is asked for", token({"alg": "HS256"}, claims()), typ="at+jwt")


def times():
    for claim in ["exp", "nbf", "iat"]:
        for odd in [None, True, False, "", "x", "never", [], {}, [NOW], {"seconds": NOW}, [[]]]:
            payloads(
                f"times: {claim} is {'a boolean' if isinstance(odd, bool) else 'no number'}", claims(**{claim: odd})
            )
        for text in [str(NOW - 50), str(NOW + 50), f" {NOW} ", "0", f"{NOW + 50}_000", "0x7fffffff", "1e10", "٤٢"]:
            payloads(f"times: {claim} is a number in a text", claims(**{claim: text}))
        for literal in ["NaN", "Infinity", "-Infinity", "01", "+1", "1.", "0x10"]:
            payloads(
                f"times: {claim} is {'a number that JSON has not' if literal[-1] in 'Ny' else 'no JSON'}",
                with_text(f'"{claim}":{literal}', **{claim: ...}),
            )
        for sign, side in [("", "above"), ("-", "below")]:
            payloads(f"times: {claim} is {side} every float", with_text(f'"{claim}":{sign}1e999', **{claim: ...}))
            payloads(
                f"times: {claim} is {side} every float, digit by digit",
                with_text(f'"{claim}":{sign}1{"0" * 400}', **{claim: ...}),
            )
        for literal in [
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
            "1e17",
        ]:
            payloads(f"times: {claim} is above 2^53", with_text(f'"{claim}":{literal}', **{claim: ...}))
        for literal in ["-9007199254740993", "-9223372036854775809", "-1e300"]:
            payloads(f"times: {claim} is below -2^53", with_text(f'"{claim}":{literal}', **{claim: ...}))
        for literal in ["0", "-0", "-0.0", "-1", "-1.5", "1e-400", "0.1", "5E2", "-9007199254740992"]:
            payloads(f"times: {claim} is long ago", with_text(f'"{claim}":{literal}', **{claim: ...}))
        far = ["9007199254740992", "9007199254740992.0", "4102444800", "4.1024448e9", "1700000900000"]
        for literal in far:
            payloads(f"times: {claim} is far ahead", with_text(f'"{claim}":{literal}', **{claim: ...}))
        fraction = rng.choice([0.5, 0.25, 0.75])
        for leeway in [0, rng.randint(1, 600)]:
            edge = -leeway if claim == "exp" else leeway
            for step in [-60, -2, -1, 0, 1, 2, 60]:
                around = "times: iat in the future" if claim == "iat" and step > 0 else f"times: {claim} around now"
                payloads(around, claims(**{claim: NOW + edge + step}), leeway=leeway)
                if step not in (0, 1) or claim != "exp":
                    payloads(around, with_text(f'"{claim}":{NOW + edge + step}.0', **{claim: ...}), leeway=leeway)
            for step in [-60, -2, 2, 60]:
                around = "times: iat in the future" if claim == "iat" and step > 0 else f"times: {claim} around now"
                payloads(around, claims(**{claim: NOW + edge + step + fraction}), leeway=leeway)
            payloads(
                f"times: {claim} a fraction after the edge", claims(**{claim: NOW + edge + fraction}), leeway=leeway
            )
            payloads(
                f"times: {claim} a fraction before the edge", claims(**{claim: NOW + edge - fraction}), leeway=leeway
            )
    payloads("times: no exp, and none asked for", claims(exp=...))
    payloads("times: no exp, and one asked for", claims(exp=...), require=["exp"])
    for leeway in [0, 30]:
        age = rng.randint(1, 10**6)
        for step in [-100, -1, 0, 1, 100]:
            payloads("times: age", claims(iat=NOW - age - leeway - step), max_age=age, leeway=leeway)
    payloads("times: age without iat", claims(iat=...), max_age=600)
    payloads("times: age, and iat in the future", claims(iat=NOW + 100), max_age=600)
    payloads("times: age with an odd iat", claims(iat="1699999900"), claims(iat=None), max_age=600)


def names():
    near = lambda text: [
        text + "/",
        text[:-1],
        text + ".evil.example",
        text.upper(),
        "x" + text,
        f" {text}",
        f"{text}\0",
        text.replace("e", "\u0435"),
        "",
        text + "\u200b",
    ]
    for odd in near(ISSUER):
        payloads("names: another issuer", claims(iss=odd))
    for odd in near(AUDIENCE):
        payloads("names: another audience", claims(aud=odd), claims(aud=[odd]), claims(aud=[odd, words()]))
    for odd in near("ann"):
        payloads("names: another subject", claims(sub=odd), sub="ann")
    payloads("names: the expected issuer missing", claims(iss=...))
    payloads("names: the expected audience missing", claims(aud=...), claims(aud=[]))
    payloads("names: the expected subject missing", claims(sub=...), sub="ann")
    wrong = [None, 0, 5, True, False, {}, {"0": ISSUER}, 1.5]
    for odd in [*wrong, [ISSUER], [ISSUER, "x"], []]:
        payloads("names: iss is no text", claims(iss=odd))
        payloads("names: iss is no text, and none is asked for", claims(iss=odd), iss=...)
    for odd in [*wrong, {"0": AUDIENCE}, {AUDIENCE: 1}]:
        payloads("names: aud is neither text nor array", claims(aud=odd))
    for odd in [0, None, False, {}]:
        payloads("names: aud is falsy, and none is asked for", claims(aud=odd), aud=...)
    for odd in [5, True, {"0": "x"}]:
        payloads("names: aud is truthy and of a wrong type, and none is asked for", claims(aud=odd), aud=...)
    for odd in [[AUDIENCE, None], [1, AUDIENCE], [AUDIENCE, [AUDIENCE]], [AUDIENCE, {}], [True, AUDIENCE]]:
        payloads("names: aud holds more than texts, the right one too", claims(aud=odd))
    for odd in [[None], [1], [[AUDIENCE]], [{AUDIENCE: 1}], [[], "x"]]:
        payloads("names: aud holds more than texts, the right one not", claims(aud=odd))
    payloads("names: an audience that nobody expects", claims(), claims(aud=["x"]), aud=...)
    payloads("names: an empty audience that nobody expects", claims(aud=""), claims(aud=[]), aud=...)
    for odd in [*wrong, ["ann"], []]:
        payloads("names: sub is no text", claims(sub=odd))
        payloads("names: sub is no text, and one is asked for", claims(sub=odd), sub="ann")
        payloads("names: jti is no text", claims(jti=odd))
    payloads("ordinary: an empty subject and id", claims(sub="", jti=""))
    payloads("names: a required claim missing", claims(), require=["nonce"])
    payloads("names: a required claim in another case", claims(Nonce="1"), require=["nonce"])
    payloads("names: a required claim is null", claims(nonce=None), require=["nonce"])
    payloads(
        "ordinary: a required claim is false or empty",
        claims(nonce=rng.choice([False, 0, "", []])),
        require=["nonce"],
    )
    payloads("names: a required claim only further in", claims(x={"nonce": "1"}), require=["nonce"])


def sizes():
    """Large ones: once each."""
    for depth in [2, 64, 127]:
        nested = rng.choice(["[" * depth + "]" * depth, '{"a":' * depth + "1" + "}" * depth])
        payloads("ordinary: nesting within the limit", with_text(f'"x":{nested}'))
        headers("ordinary: nesting within the limit", f'{{"alg":"HS256","x":{nested}}}')
    for depth in [128, 200, 500]:
        payloads("sizes: nesting beyond the limit", with_text(f'"x":{"[" * depth}{"]" * depth}'))
        payloads("sizes: nesting beyond the limit", with_text('"x":' + '{"a":' * depth + "1" + "}" * depth))
        headers("sizes: nesting beyond the limit", f'{{"alg":"HS256","x":{"[" * depth}{"]" * depth}}}')
    for depth in [60_000]:
        payloads("sizes: nesting of tens of thousands", with_text(f'"x":{"[" * depth}{"]" * depth}'))
        payloads("sizes: nesting that is never closed", with_text(f'"x":{"[" * depth}'))
    many = {f"c{number}": number for number in range(4096 - 4)}
    base = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": NOW + 60}
    payloads("ordinary: members at the limit", {**base, **many})
    payloads("sizes: members beyond the limit", {**base, **many, "more": 1})
    payloads("ordinary: audiences at the limit", {**base, "aud": ["a"] * 16_383 + [AUDIENCE]})
    payloads("sizes: audiences beyond the limit", {**base, "aud": ["a"] * 16_384 + [AUDIENCE]})
    room = 192 * 1024 - len(token(HEADER, {**base, "x": ""}))
    fill = lambda characters: token(HEADER, {**base, "x": "a" * characters})
    fits = max(count for count in range(room * 3 // 4 - 8, room * 3 // 4 + 8) if len(fill(count)) <= 192 * 1024)
    both("ordinary: a token at the limit", fill(fits))
    both("sizes: a token beyond the limit", fill(fits + 1))
    wide = lambda characters: token({**HEADER, "x": "a" * characters}, base)
    within = max(count for count in range(12_200, 12_300) if len(wide(count).split(".")[0]) <= 16 * 1024)
    both("ordinary: a header at the limit", wide(within))
    both("sizes: a header beyond the limit", wide(within + 1))


for _ in range(ROUNDS):
    for make in [ordinary, encoding, signatures, critical, times]:
        make()
for _ in range(2):
    for make in [shape, algorithms, json_text, header_parameters, names]:
        make()
sizes()
rng.seed(7518)
signing.make(case, claims, dumps, b64)
for number, made in enumerate(cases):
    made["id"] = str(number)
    sys.stdout.write(json.dumps(made) + "\n")
