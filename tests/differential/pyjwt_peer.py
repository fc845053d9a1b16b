"""Answers conformance cases with PyJWT, configured as the case's options say.

What a case asks for and PyJWT has no setting for is `unsupported`: a look at `typ`, an age, extensions in `crit`. So is
an algorithm that it does not have.
"""

import base64
import datetime
import json
import sys

import jwt
import jwt.api_jwt

SETTINGS = {"now", "leeway", "iss", "aud", "sub", "require", "algs"}
ALGORITHMS = set(jwt.algorithms.get_default_algorithms()) - {"none"}


class Clock(datetime.datetime):
    """The clock that PyJWT asks, set to the case's time."""

    time = 0

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(cls.time, tz)


jwt.api_jwt.datetime = Clock


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def allowed_by(case):
    return case["options"].get("algs", [case["alg"]])


def verify(case):
    key, options, allowed = case["key"]["value"], case["options"], allowed_by(case)
    if case["key"]["format"] == "oct-b64u":
        key = unpadded(key)
    if case["mode"] == "jws":
        payload = jwt.PyJWS().decode(case["token"], key, allowed)
        return {"payload_b64u": base64.urlsafe_b64encode(payload).rstrip(b"=").decode()}
    Clock.time = options["now"]
    expected = {"issuer": options.get("iss"), "audience": options.get("aud"), "subject": options.get("sub")}
    require = [claim for claim, name in [("iss", "iss"), ("aud", "aud"), ("sub", "sub")] if name in options]
    require += options.get("require", [])
    jwt.decode(case["token"], key, allowed, {"require": require}, leeway=options.get("leeway", 0), **expected)
    return {}


def judge(case):
    if not SETTINGS.issuperset(case["options"]) or not ALGORITHMS.issuperset(allowed_by(case)):
        return {"result": "unsupported"}
    try:
        return {"result": "accept", **verify(case)}
    except Exception as error:  # hostile tokens raise more than the library's own exceptions
        return {"result": "reject", "detail": type(error).__name__}


print(json.dumps({"name": "PyJWT", "version": jwt.__version__}))
for line in sys.stdin:
    case = json.loads(line)
    print(json.dumps({"id": case["id"], **judge(case)}))
