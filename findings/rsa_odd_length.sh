#!/usr/bin/env bash
#
# An RSA key of an odd number of bits comes out one bit shorter.
#
# Guess before the run: `rsa.generate_private_key(65537, 2049)` of the Python package `cryptography` makes a key of 2049 bits, or
# refuses the number.
#
# Seen with cryptography 50.0.2, whose wheel has OpenSSL inside: it makes a key of 2048 bits without an error or a warning. 2051
# gives 2050. An even number such as 2050 is kept. pycryptodome 3.23.0 makes 2049 bits. So a program that requires "at least 2049
# bits" refuses the key that was generated for it, and a test with a modulus of 8n+1 bits, where an RSA-PSS message is one byte
# shorter than the signature, needs a key from another tool.
#
# The script installs both packages in a temporary folder, removes it, and fails if the behaviour changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check cryptography==50.0.2 pycryptodome==3.23.0

"$folder/venv/bin/python" - <<'PYTHON'
from Crypto.PublicKey import RSA
from cryptography.hazmat.backends.openssl import backend
from cryptography.hazmat.primitives.asymmetric import rsa

print(backend.openssl_version_text())
for asked, expected in [(2048, 2048), (2049, 2048), (2050, 2050), (2051, 2050)]:
    made = rsa.generate_private_key(65537, asked).key_size
    print(f"cryptography 50.0.2: {asked} bits asked for, {made} made")
    assert made == expected, f"expected {expected}"
made = RSA.generate(2049).size_in_bits()
print(f"pycryptodome 3.23.0: 2049 bits asked for, {made} made")
assert made == 2049
PYTHON
