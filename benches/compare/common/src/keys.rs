//! The keys. They were made for this benchmark and protect nothing.

/// The HS256 secret.
pub const SECRET: [u8; 32] = *b"a secret of thirty-two bytes ...";

/// An RSA key pair.
#[derive(Clone, Copy, Debug)]
pub struct RsaKey {
    /// The length of its modulus.
    pub bits: usize,
    /// PKCS#8.
    pub private_pem: &'static str,
    /// SPKI.
    pub public_pem: &'static str,
}

/// The key that signs.
pub const RSA_2048: RsaKey = RsaKey {
    bits: 2048,
    private_pem: include_str!("../../keys/rsa2048.private.pem"),
    public_pem: include_str!("../../keys/rsa2048.public.pem"),
};

/// Those that verify.
pub const RSA: [RsaKey; 3] = [
    RSA_2048,
    RsaKey {
        bits: 3072,
        private_pem: include_str!("../../keys/rsa3072.private.pem"),
        public_pem: include_str!("../../keys/rsa3072.public.pem"),
    },
    RsaKey {
        bits: 4096,
        private_pem: include_str!("../../keys/rsa4096.private.pem"),
        public_pem: include_str!("../../keys/rsa4096.public.pem"),
    },
];

impl RsaKey {
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

    /// PKCS#1: what the SPKI of an RSA key holds behind a prefix that is of one length from 2048 bits on.
    #[must_use]
    pub fn public_pkcs1_der(&self) -> Vec<u8> {
        const PREFIX: usize = 24;
        self.public_der().split_off(PREFIX)
    }
}

fn der(pem: &str) -> Vec<u8> {
    pem::parse(pem).expect("the keys are PEM files").into_contents()
}
