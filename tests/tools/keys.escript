#!/usr/bin/env escript
%% Keys of Erlang's public_key: `make FOLDER` writes them, `use FOLDER ALGORITHM...` signs with those of countersign.
%% Without the header of public_key, which Debian has in a package for developers.

main(["make", Folder]) ->
    make(Folder, "RS256", {rsa, 2048, 65537}),
    [make(Folder, Name, {namedCurve, Curve}) || {Name, Curve} <- curves()];
main(["use", Folder | Names]) ->
    {ok, Message} = file:read_file(Folder ++ "/message"),
    [use(Folder ++ "/" ++ Name, hash(Name), Message) || Name <- Names].

curves() ->
    [{"ES256", secp256r1}, {"ES384", secp384r1}, {"ES512", secp521r1}, {"ES256K", secp256k1}, {"EdDSA", ed25519}].

hash("ES384") -> sha384;
hash("ES512") -> sha512;
hash("EdDSA") -> none;
hash(_) -> sha256.

make(Folder, Name, Parameters) ->
    Place = Folder ++ "/" ++ Name,
    ok = file:make_dir(Place),
    Key = public_key:generate_key(Parameters),
    Type = element(1, Key),
    write(Place ++ "/private.pkcs8", 'PrivateKeyInfo', Key),
    case Name of
        %% RFC 8410 has no form of its own for these.
        "EdDSA" -> ok;
        _ -> write(Place ++ "/private." ++ atom_to_list(Type), Type, Key)
    end,
    Public = public(Key),
    write(Place ++ "/public.spki", 'SubjectPublicKeyInfo', Public),
    case Type of
        'RSAPrivateKey' -> write(Place ++ "/public.RSAPublicKey", 'RSAPublicKey', Public);
        _ -> ok
    end.

public(Key) ->
    case tuple_to_list(Key) of
        ['RSAPrivateKey', _, Modulus, Exponent | _] -> {'RSAPublicKey', Modulus, Exponent};
        ['ECPrivateKey', _, _, Parameters, Point | _] -> {{'ECPoint', Point}, Parameters}
    end.

write(Path, Type, Key) ->
    Entry = public_key:pem_entry_encode(Type, Key),
    ok = file:write_file(Path ++ ".pem", public_key:pem_encode([Entry])),
    ok = file:write_file(Path ++ ".der", element(2, Entry)).

use(Place, Hash, Message) ->
    Private = read(Place ++ "/private.pem"),
    Public = read(Place ++ "/public.pem"),
    Signature = public_key:sign(Message, Hash, Private),
    true = public_key:verify(Message, Hash, Signature, Public),
    ok = file:write_file(Place ++ "/signature", Signature).

read(Path) ->
    {ok, Text} = file:read_file(Path),
    [{Type, Der, not_encrypted} = Entry] = public_key:pem_decode(Text),
    try
        public_key:pem_entry_decode(Entry)
    catch
        %% OTP 25 reads no SPKI of Ed25519 in this way.
        error:function_clause when Type =:= 'SubjectPublicKeyInfo' ->
            {_, {_, Curve, _}, Point} = public_key:der_decode(Type, Der),
            {{'ECPoint', Point}, {namedCurve, Curve}}
    end.
