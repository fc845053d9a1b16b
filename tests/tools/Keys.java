// Keys of Java's KeyPairGenerator: `make FOLDER` writes them, `use FOLDER ALGORITHM...` signs with those of countersign.

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

class Keys {
    public static void main(String[] arguments) throws GeneralSecurityException, IOException {
        Path folder = Path.of(arguments[1]);
        List<String> algorithms = Arrays.asList(arguments).subList(2, arguments.length);
        if (arguments[0].equals("make")) {
            for (String name : algorithms) {
                make(folder.resolve(name), generate(name));
            }
        } else {
            for (String name : algorithms) {
                use(folder, name);
            }
        }
    }

    static KeyPair generate(String name) throws GeneralSecurityException {
        String curve = switch (name) {
            case "ES256" -> "secp256r1";
            case "ES384" -> "secp384r1";
            case "ES512" -> "secp521r1";
            default -> null;
        };
        KeyPairGenerator generator = KeyPairGenerator.getInstance(switch (name) {
            case "PS256" -> "RSASSA-PSS";
            case "EdDSA.x25519" -> "X25519";
            default -> type(name);
        });
        if (curve != null) {
            generator.initialize(new ECGenParameterSpec(curve));
        } else if (type(name).equals("RSA")) {
            generator.initialize(2048);
        }
        return generator.generateKeyPair();
    }

    static String type(String name) {
        return switch (name) {
            case "RS256", "PS256" -> "RSA";
            case "ES256", "ES384", "ES512" -> "EC";
            case "EdDSA" -> "Ed25519";
            default -> name;
        };
    }

    static void make(Path folder, KeyPair pair) throws IOException {
        Files.createDirectory(folder);
        write(folder, "private", "PRIVATE KEY", pair.getPrivate().getEncoded());
        write(folder, "public", "PUBLIC KEY", pair.getPublic().getEncoded());
    }

    // Java writes DER. The usual way to PEM is its encoder for MIME, with CR LF after each 76 characters.
    static void write(Path folder, String half, String label, byte[] der) throws IOException {
        Files.write(folder.resolve(half + ".der"), der);
        String body = Base64.getMimeEncoder().encodeToString(der);
        Files.writeString(
            folder.resolve(half + ".pem"), "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n");
    }

    static void use(Path folder, String name) throws GeneralSecurityException, IOException {
        byte[] message = Files.readAllBytes(folder.resolve("message"));
        Path place = folder.resolve(name);
        KeyFactory factory = KeyFactory.getInstance(type(name));
        PrivateKey privateKey = factory.generatePrivate(new PKCS8EncodedKeySpec(der(place.resolve("private.pem"))));
        Signature signing = Signature.getInstance(scheme(name));
        signing.initSign(privateKey);
        signing.update(message);
        byte[] signature = signing.sign();
        for (byte[] file : List.of(der(place.resolve("public.pem")), Files.readAllBytes(place.resolve("public.der")))) {
            PublicKey publicKey = factory.generatePublic(new X509EncodedKeySpec(file));
            Signature verifying = Signature.getInstance(scheme(name));
            verifying.initVerify(publicKey);
            verifying.update(message);
            if (!verifying.verify(signature)) {
                throw new IllegalStateException(name + " does not verify");
            }
        }
        Files.write(place.resolve("signature"), signature);
    }

    static String scheme(String name) {
        return switch (name) {
            case "RS256" -> "SHA256withRSA";
            case "ES256" -> "SHA256withECDSA";
            case "ES384" -> "SHA384withECDSA";
            case "ES512" -> "SHA512withECDSA";
            default -> type(name);
        };
    }

    static byte[] der(Path pem) throws IOException {
        return Base64.getMimeDecoder().decode(Files.readString(pem).replaceAll("-----[A-Z ]+-----", ""));
    }
}
