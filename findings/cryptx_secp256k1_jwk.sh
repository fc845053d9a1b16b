#!/usr/bin/env bash
#
# Perl's CryptX writes a secp256k1 key as a JWK with the curve `P-256K`, and not `secp256k1`.
#
# Guess before the run: the `crv` of the exported JWK is `secp256k1`, the name that RFC 8812 section 4.4 registers.
#
# Seen with libcryptx-perl 0.077-1+b1 from Debian 12, and with the packages of CryptX 0.085 and 0.091 from later releases: `crv` is
# `P-256K`, the name of the drafts before the RFC. CryptX itself reads both names, and so does jwcrypto 1.6.1. joserfc 1.8.0
# fails at `P-256K` with a KeyError, and reads the same key under the registered name. Change `crv` before you publish such a key.
#
# The script needs Debian 12 on amd64 and Python 3. It works in a temporary folder, removes it, and fails if the behaviour changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download libcryptx-perl=0.077-1+b1 2>/dev/null
dpkg -x libcryptx-perl_*.deb root
python3 -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target python \
    jwcrypto==1.6.1 joserfc==1.8.0
export PERL5LIB=$folder/root/usr/lib/x86_64-linux-gnu/perl5/5.36 PYTHONPATH=$folder/python

jwk=$(perl -MCrypt::PK::ECC -e '
    my $key = Crypt::PK::ECC->new;
    $key->generate_key("secp256k1");
    print $key->export_key_jwk("public");')
echo "CryptX writes $jwk"
[[ $jwk == *'"crv":"P-256K"'* ]] || { echo 'expected the curve P-256K' >&2; exit 1; }

python3 -W ignore - "$jwk" <<'END'
import json
import sys

from joserfc.jwk import ECKey
from jwcrypto.jwk import JWK

written = json.loads(sys.argv[1])


def outcome(read):
    try:
        return read()
    except Exception as error:
        return type(error).__name__


seen = {}
for name in ("P-256K", "secp256k1"):
    key = {**written, "crv": name}
    seen["jwcrypto", name] = outcome(lambda: JWK(**key) and "read")
    seen["joserfc", name] = outcome(lambda: ECKey.import_key(key) and "read")
for (library, name), result in seen.items():
    print(f"{library}, {name}: {result}")
expected = {
    ("jwcrypto", "P-256K"): "read",
    ("joserfc", "P-256K"): "KeyError",
    ("jwcrypto", "secp256k1"): "read",
    ("joserfc", "secp256k1"): "read",
}
sys.exit(0 if seen == expected else "the outcomes differ from those expected")
END
