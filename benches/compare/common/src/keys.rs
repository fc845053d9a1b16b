//! The keys. They were made for this benchmark and protect nothing.

/// The HS256 secret.
pub const SECRET: [u8; 32] = *b"a secret of thirty-two bytes ...";

/// The HS512 secret. HS384 uses its first 48 bytes.
pub const LONG_SECRET: [u8; 64] = *b"a secret of sixty-four bytes, of which HS384 uses forty-eight ..";

/// The key pair of a signature algorithm.
#[derive(Clone, Copy, Debug)]
pub struct KeyPair {
    /// The length of the RSA modulus, of the numbers of the curve, or of the ML-DSA public key.
    pub bits: usize,
    /// PKCS#8.
    pub private_pem: &'static str,
    /// SPKI.
    pub public_pem: &'static str,
}

/// The RSA key that signs.
pub const RSA_2048: KeyPair = KeyPair {
    bits: 2048,
    private_pem: include_str!("../../keys/rsa2048.private.pem"),
    public_pem: include_str!("../../keys/rsa2048.public.pem"),
};

/// The RSA keys that verify.
pub const RSA: [KeyPair; 3] = [
    RSA_2048,
    KeyPair {
        bits: 3072,
        private_pem: include_str!("../../keys/rsa3072.private.pem"),
        public_pem: include_str!("../../keys/rsa3072.public.pem"),
    },
    KeyPair {
        bits: 4096,
        private_pem: include_str!("../../keys/rsa4096.private.pem"),
        public_pem: include_str!("../../keys/rsa4096.public.pem"),
    },
];

/// For ES256.
pub const P256: KeyPair = KeyPair {
    bits: 256,
    private_pem: include_str!("../../keys/p256.private.pem"),
    public_pem: include_str!("../../keys/p256.public.pem"),
};

/// For ES384.
pub const P384: KeyPair = KeyPair {
    bits: 384,
    private_pem: include_str!("../../keys/p384.private.pem"),
    public_pem: include_str!("../../keys/p384.public.pem"),
};

/// For ES512.
pub const P521: KeyPair = KeyPair {
    bits: 521,
    private_pem: include_str!("../../keys/p521.private.pem"),
    public_pem: include_str!("../../keys/p521.public.pem"),
};

/// For ES256K.
pub const SECP256K1: KeyPair = KeyPair {
    bits: 256,
    private_pem: include_str!("../../keys/secp256k1.private.pem"),
    public_pem: include_str!("../../keys/secp256k1.public.pem"),
};

/// For EdDSA.
pub const ED25519: KeyPair = KeyPair {
    bits: 256,
    private_pem: include_str!("../../keys/ed25519.private.pem"),
    public_pem: include_str!("../../keys/ed25519.public.pem"),
};

/// For ML-DSA-44.
pub const ML_DSA_44: KeyPair = KeyPair {
    bits: 10496,
    private_pem: include_str!("../../keys/ml_dsa_44.private.pem"),
    public_pem: include_str!("../../keys/ml_dsa_44.public.pem"),
};

/// For ML-DSA-65.
pub const ML_DSA_65: KeyPair = KeyPair {
    bits: 15616,
    private_pem: include_str!("../../keys/ml_dsa_65.private.pem"),
    public_pem: include_str!("../../keys/ml_dsa_65.public.pem"),
};

/// For ML-DSA-87.
pub const ML_DSA_87: KeyPair = KeyPair {
    bits: 20736,
    private_pem: include_str!("../../keys/ml_dsa_87.private.pem"),
    public_pem: include_str!("../../keys/ml_dsa_87.public.pem"),
};

impl KeyPair {
    /// PKCS#8, for libraries that read no PEM.
    #[must_use]
    pub fn private_der(&self) -> Vec<u8> {
        der(self.private_pem)
    }

    /// SPKI, for libraries that read no PEM.
    #[must_use]
    pub fn public_der(&self) -> Vec<u8> {
        der(self.public_pem)
    }

    /// What PKCS#8 wraps: PKCS#1 for RSA.
    #[must_use]
    pub fn private_content(&self) -> Vec<u8> {
        // The version, the algorithm, and the content.
        third(&self.private_der()).to_vec()
    }

    /// The private number of a curve, or the seed of Ed25519 or ML-DSA.
    #[must_use]
    pub fn private_number(&self) -> Vec<u8> {
        let content = self.private_content();
        let (inner, _) = element(&content);
        if matches!(content[0], OCTET_STRING | SEED) {
            inner.to_vec()
        } else {
            element(element(inner).1).0.to_vec()
        }
    }

    /// What SPKI wraps: PKCS#1 for RSA, the uncompressed point of a curve, the bytes of Ed25519 or ML-DSA.
    #[must_use]
    pub fn public_content(&self) -> Vec<u8> {
        let spki = self.public_der();
        let (_algorithm, rest) = element(element(&spki).0);
        // Behind the count of unused bits, which is zero.
        element(rest).0[1..].to_vec()
    }
}

const OCTET_STRING: u8 = 4;

/// The tag of the seed in an ML-DSA key (RFC 9881 section 6).
const SEED: u8 = 0x80;

fn der(pem: &str) -> Vec<u8> {
    pem::parse(pem).expect("the keys are PEM files").into_contents()
}

/// The content of the third element of a sequence.
fn third(sequence: &[u8]) -> &[u8] {
    let (_first, rest) = element(element(sequence).0);
    let (_second, rest) = element(rest);
    element(rest).0
}

/// Splits DER into the content of its first element, and what follows that element.
fn element(der: &[u8]) -> (&[u8], &[u8]) {
    const LONG_FORM: u8 = 0x80;
    let (header, length) = match der[1] {
        short if short < LONG_FORM => (2, usize::from(short)),
        long => {
            let header = 2 + usize::from(long - LONG_FORM);
            (header, der[2..header].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)))
        }
    };
    der[header..].split_at(length)
}

#[cfg(test)]
mod tests {
    use super::{ED25519, KeyPair, ML_DSA_44, ML_DSA_65, ML_DSA_87, P256, P384, P521, RSA, SECP256K1};

    #[test]
    fn the_parts_of_a_curve_key_have_its_length() {
        for key in [P256, P384, P521, SECP256K1] {
            let bytes = key.bits.div_ceil(8);
            assert_eq!(key.private_number().len(), bytes);
            assert_eq!(key.public_content().len(), 1 + 2 * bytes);
            assert_eq!(key.public_content()[0], 4);
        }
        assert_eq!(ED25519.private_number().len(), 32);
        assert_eq!(ED25519.public_content().len(), 32);
    }

    #[test]
    fn the_parts_of_an_ml_dsa_key_are_a_seed_and_a_public_key() {
        for key in [ML_DSA_44, ML_DSA_65, ML_DSA_87] {
            assert_eq!(key.private_number().len(), 32);
            assert_eq!(key.public_content().len() * 8, key.bits);
        }
    }

    #[test]
    fn the_parts_of_an_rsa_key_are_sequences() {
        for key in RSA {
            let whole = |der: Vec<u8>| der[0] == 0x30 && super::element(&der).1.is_empty();
            assert!(whole(KeyPair::private_content(&key)) && whole(KeyPair::public_content(&key)));
        }
    }
}
