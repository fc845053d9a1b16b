<?php
// Keys of PHP's openssl: `make FOLDER` writes them, `use FOLDER ALGORITHM...` signs with those of countersign.
[, $command, $folder] = $argv;
$algorithms = array_slice($argv, 3);
$hashes = ['RS256' => 'sha256', 'ES256' => 'sha256', 'ES384' => 'sha384', 'ES512' => 'sha512', 'ES256K' => 'sha256'];

function check($result, string $what) {
    if ($result === false || $result === 0 || $result === -1) {
        fwrite(STDERR, "$what: " . openssl_error_string() . "\n");
        exit(1);
    }
    return $result;
}

function make(string $name, array $options): void {
    global $folder;
    $key = check(openssl_pkey_new($options), $name);
    check(openssl_pkey_export($key, $private), $name);
    check(openssl_pkey_export($key, $encrypted, 'secret'), $name);
    mkdir("$folder/$name");
    file_put_contents("$folder/$name/private.pem", $private);
    file_put_contents("$folder/$name/private.encrypted.pem", $encrypted);
    file_put_contents("$folder/$name/public.pem", openssl_pkey_get_details($key)['key']);
}

if ($command === 'make') {
    make('RS256', ['private_key_type' => OPENSSL_KEYTYPE_RSA, 'private_key_bits' => 2048]);
    $curves = ['ES256' => 'prime256v1', 'ES384' => 'secp384r1', 'ES512' => 'secp521r1', 'ES256K' => 'secp256k1'];
    foreach ($curves as $name => $curve) {
        make($name, ['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => $curve]);
    }
    if (defined('OPENSSL_KEYTYPE_ED25519')) {
        make('EdDSA', ['private_key_type' => OPENSSL_KEYTYPE_ED25519]);
    }
} else {
    $message = file_get_contents("$folder/message");
    foreach ($algorithms as $name) {
        $private = check(openssl_pkey_get_private(file_get_contents("$folder/$name/private.pem")), $name);
        $public = check(openssl_pkey_get_public(file_get_contents("$folder/$name/public.pem")), $name);
        check(openssl_sign($message, $signature, $private, $hashes[$name] ?? 0), $name);
        check(openssl_verify($message, $signature, $public, $hashes[$name] ?? 0), $name);
        file_put_contents("$folder/$name/signature", $signature);
    }
}
