#!/usr/bin/env bash
#
# The command that writes an RSA or EC public key in DER writes an Ed25519 public key in PEM.
#
# Guess before the run: `pkcs11-tool --read-object --type pubkey -o FILE` of OpenSC writes the same format, DER, for each type of key.
#
# Seen with opensc 0.23.0-0.3+deb12u2 and softhsm2 2.6.1-2.1 from Debian 12: for RSA and P-256 the file holds the DER of a
# SubjectPublicKeyInfo, and for Ed25519 it holds PEM, with no option given and no word about it. A program that reads the exported
# keys of a token with a DER reader fails for Ed25519 alone. Look at the first byte: 0x30 is DER, `-` is PEM.
#
# The script needs Debian 12 on amd64. It unpacks the packages in a temporary folder, removes it, and fails if the behaviour changes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get -qq download opensc=0.23.0-0.3+deb12u2 opensc-pkcs11=0.23.0-0.3+deb12u2 softhsm2=2.6.1-2.1 \
    softhsm2-common=2.6.1-2.1 libsofthsm2=2.6.1-2.1 2>/dev/null
for package in *.deb; do
    dpkg -x "$package" root
done
export PATH=$folder/root/usr/bin:$PATH LD_LIBRARY_PATH=$folder/root/usr/lib/x86_64-linux-gnu
export SOFTHSM2_CONF=$folder/softhsm2.conf
module=$folder/root/usr/lib/softhsm/libsofthsm2.so
mkdir tokens
printf 'directories.tokendir = %s/tokens\n' "$folder" >"$SOFTHSM2_CONF"
softhsm2-util --module "$module" --init-token --free --label token --so-pin 12345678 --pin 1234 >/dev/null

# expect TYPE FORMAT BEGIN: the file of a new key of this type begins with these bytes, in hex.
expect() {
    local file=$folder/${1//:/-} begin
    pkcs11-tool --module "$module" --token-label token --login --pin 1234 --keypairgen --key-type "$1" --label "$1" \
        >/dev/null 2>&1
    pkcs11-tool --module "$module" --token-label token --read-object --type pubkey --label "$1" -o "$file" >/dev/null 2>&1
    begin=$(head -c 5 "$file" | od -An -tx1 | tr -d ' \n')
    echo "$1: the file begins with $begin, which is $2"
    [[ $begin == "$3"* ]] || { echo "expected $3" >&2; exit 1; }
}

expect rsa:2048 DER 30820122
expect EC:prime256v1 DER 3059
expect EC:edwards25519 PEM 2d2d2d2d2d
