# Keys of Crypt::OpenSSL::RSA: `make FOLDER` writes one, `use FOLDER` signs with that of countersign.
use strict;
use warnings;
use Crypt::OpenSSL::RSA;

my ($command, $folder) = @ARGV;

sub read_file {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

sub write_file {
    my ($path, $content) = @_;
    open my $file, '>:raw', $path or die "$path: $!";
    print {$file} $content;
    close $file or die "$path: $!";
}

if ($command eq 'make') {
    my $key = Crypt::OpenSSL::RSA->generate_key(2048);
    mkdir "$folder/RS256" or die "$folder/RS256: $!";
    write_file("$folder/RS256/private.pem", $key->get_private_key_string);
    write_file("$folder/RS256/public.pem", $key->get_public_key_string);
    write_file("$folder/RS256/public.x509.pem", $key->get_public_key_x509_string);
} else {
    my $message = read_file("$folder/message");
    my $private = Crypt::OpenSSL::RSA->new_private_key(read_file("$folder/RS256/private.pem"));
    my $public = Crypt::OpenSSL::RSA->new_public_key(read_file("$folder/RS256/public.pem"));
    for my $key ($private, $public) {
        # Version 0.35 refuses this, and signs with this padding without it.
        eval { $key->use_pkcs1_padding };
        $key->use_sha256_hash;
    }
    my $signature = $private->sign($message);
    $public->verify($message, $signature) or die 'RS256 does not verify';
    write_file("$folder/RS256/signature", $signature);
}
