"""Signs and verifies with joserfc: one JSON request per line comes in, one JSON answer per line goes out.

A token that the library refuses is an answer; anything else that goes wrong ends the program.
"""

import json
import sys
import warnings

import joserfc
from joserfc import errors, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

# About old algorithms.
warnings.simplefilter("ignore")
KEYS = {"RS": RSAKey, "PS": RSAKey, "ES": ECKey, "Ed": OKPKey}
FAMILIES = ("HS", "RS", "PS", "ES")


def about(_):
    algorithms = [family + size for family in FAMILIES for size in ("256", "384", "512")]
    return {"name": "joserfc", "version": joserfc.__version__, "algorithms": [*algorithms, "ES256K", "EdDSA"]}


def key_of(request):
    alg, key = request["alg"], request["key"]
    return OctKey.import_key(bytes.fromhex(key)) if alg.startswith("HS") else KEYS[alg[:2]].import_key(key)


def sign(request):
    header = {"alg": request["alg"], **({"kid": request["kid"]} if "kid" in request else {})}
    return {"token": jwt.encode(header, request["claims"], key_of(request), [request["alg"]])}


def verify(request):
    try:
        token = jwt.decode(request["token"], key_of(request), [request["alg"]])
        expected = {"iss": request["issuer"], "aud": request["audience"]}
        rules = {name: {"essential": True, "value": value} for name, value in expected.items()}
        jwt.JWTClaimsRegistry(**rules, exp={"essential": True}).validate(token.claims)
    except (errors.JoseError, ValueError) as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    return {"header": token.header, "claims": token.claims}


operations = {"about": about, "sign": sign, "verify": verify}
for line in sys.stdin:
    request = json.loads(line)
    print(json.dumps(operations[request["op"]](request)), flush=True)
