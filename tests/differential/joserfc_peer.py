"""Answers conformance cases with joserfc: the JWS layer only, so mode `jwt` and options of claims are `unsupported`."""

import base64
import json
import sys
import warnings

import joserfc
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

# About old algorithms and short secrets.
warnings.simplefilter("ignore")
KEYS = {"HS": OctKey, "RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": OKPKey}
NAMES = [family + size for family in ("HS", "RS", "PS", "ES") for size in ("256", "384", "512")]
ALGORITHMS = {*NAMES, "ES256K", "EdDSA", "Ed25519"}


def key_of(case):
    kind, value = KEYS[case["alg"][:2]], case["key"]["value"]
    if case["key"]["format"] == "oct-b64u":
        return OctKey.import_key(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    return kind.import_key(value)


def judge(case):
    allowed = case["options"].get("algs", [case["alg"]])
    if case["mode"] != "jws" or not {"algs"}.issuperset(case["options"]) or not ALGORITHMS.issuperset(allowed):
        return {"result": "unsupported"}
    try:
        payload = jws.deserialize_compact(case["token"], key_of(case), algorithms=allowed).payload
        return {"result": "accept", "payload_b64u": base64.urlsafe_b64encode(payload).rstrip(b"=").decode()}
    except Exception as error:  # hostile tokens raise more than the library's own exceptions
        return {"result": "reject", "detail": type(error).__name__}


print(json.dumps({"name": "joserfc", "version": joserfc.__version__}))
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], **judge(case)}))
