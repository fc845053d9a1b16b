# Keys of CryptX: `make FOLDER` writes them, `use FOLDER ALGORITHM...` signs with those of countersign.
use strict;
use warnings;
use Crypt::PK::ECC;
use Crypt::PK::Ed25519;
use Crypt::PK::RSA;

my ($command, $folder, @algorithms) = @ARGV;
my %curves = (
    ES256 => ['secp256r1', 'SHA256'], ES384 => ['secp384r1', 'SHA384'],
    ES512 => ['secp521r1', 'SHA512'], ES256K => ['secp256k1', 'SHA256'],
);

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

sub place {
    my ($name) = @_;
    mkdir "$folder/$name" or die "$folder/$name: $!";
    return "$folder/$name";
}

if ($command eq 'make') {
    my $key = Crypt::PK::RSA->new;
    $key->generate_key(256, 65537);
    my $place = place('RS256');
    for my $half ('private', 'public') {
        write_file("$place/$half.$half.pem", $key->export_key_pem($half));
        write_file("$place/$half.$half.der", $key->export_key_der($half));
    }
    write_file("$place/public.public_x509.pem", $key->export_key_pem('public_x509'));
    write_file("$place/$_.jwk", $key->export_key_jwk($_)) for 'private', 'public';
    write_file("$place/private.encrypted.pem", $key->export_key_pem('private', 'secret'));
    for my $name (sort keys %curves) {
        my $key = Crypt::PK::ECC->new;
        $key->generate_key($curves{$name}[0]);
        $place = place($name);
        for my $form ('private', 'private_short', 'private_compressed', 'public', 'public_short', 'public_compressed') {
            my ($half) = $form =~ /^(private|public)/;
            write_file("$place/$half.$form.pem", $key->export_key_pem($form));
            write_file("$place/$half.$form.der", $key->export_key_der($form));
        }
        write_file("$place/$_.jwk", $key->export_key_jwk($_)) for 'private', 'public';
    }
    $key = Crypt::PK::Ed25519->new;
    $key->generate_key;
    $place = place('EdDSA');
    for my $half ('private', 'public') {
        write_file("$place/$half.pem", $key->export_key_pem($half));
        write_file("$place/$half.der", $key->export_key_der($half));
        write_file("$place/$half.jwk", $key->export_key_jwk($half));
    }
} else {
    my $message = read_file("$folder/message");
    for my $name (@algorithms) {
        my ($class, @arguments) =
            $name eq 'RS256' ? ('Crypt::PK::RSA', 'SHA256', 'v1.5')
            : $name eq 'EdDSA' ? ('Crypt::PK::Ed25519')
            : ('Crypt::PK::ECC', $curves{$name}[1]);
        my $private = $class->new("$folder/$name/private.pem");
        my $signature = $private->sign_message($message, @arguments);
        for my $file ('public.pem', 'public.der') {
            my $public = $class->new("$folder/$name/$file");
            $public->verify_message($signature, $message, @arguments) or die "$name does not verify";
        }
        write_file("$folder/$name/signature", $signature);
    }
}
