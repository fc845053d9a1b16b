//! The builds that are compared. To add a library, write its package and add it here.

pub(crate) const OURS: &str = "countersign";
pub(crate) const OURS_AWS_LC: &str = "countersign (aws-lc-rs)";
pub(crate) const OURS_GRAVIOLA: &str = "countersign (graviola)";
pub(crate) const FLOOR: &str = "floor (RustCrypto)";
pub(crate) const FLOOR_AWS_LC: &str = "floor (aws-lc-rs)";
pub(crate) const FLOOR_GRAVIOLA: &str = "floor (graviola)";
pub(crate) const FLOOR_RING: &str = "floor (ring)";
pub(crate) const JSONWEBTOKEN_RUST: &str = "jsonwebtoken 12 (rust_crypto)";
pub(crate) const JSONWEBTOKEN_AWS_LC: &str = "jsonwebtoken 12 (aws_lc_rs)";
pub(crate) const JWTK: &str = "jwtk";

/// One build of one library.
pub(crate) struct Entry {
    /// What it is called here.
    pub(crate) id: &'static str,
    pub(crate) role: Role,
    pub(crate) cryptography: Cryptography,
    /// Its folder in `peers`, and in `weight` if it has one there. The packages are called `compare-` and
    /// `weight-` with this name.
    pub(crate) package: &'static str,
    /// The crate whose version is told; of a floor with a variant, those that it is made of.
    pub(crate) crates: &'static [&'static str],
    /// Which of its builds it is.
    pub(crate) variant: Option<&'static str>,
    /// The features of the package.
    pub(crate) features: &'static [&'static str],
    /// A feature of `countersign` without which it cannot be built.
    pub(crate) needs_feature: Option<&'static str>,
    /// What its package adds to it, and what else its reader should know.
    pub(crate) note: Option<&'static str>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Ours,
    Rival,
    Floor,
}

/// What computes with key pairs. Some libraries compute with some curves in pure Rust all the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cryptography {
    PureRust,
    AwsLc,
    BoringSsl,
    Graviola,
    OpenSsl,
    Ring,
}

impl Cryptography {
    pub(crate) const ALL: [(Self, &str); 6] = [
        (Self::PureRust, "pure Rust"),
        (Self::AwsLc, "AWS-LC"),
        (Self::BoringSsl, "BoringSSL"),
        (Self::Graviola, "graviola"),
        (Self::OpenSsl, "OpenSSL"),
        (Self::Ring, "ring"),
    ];
}

/// A build of ours, and the floor with the same cryptography.
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    pub(crate) ours: &'static str,
    pub(crate) floor: &'static str,
}

pub(crate) const BACKENDS: [Backend; 3] = [
    Backend { name: "pure Rust", ours: OURS, floor: FLOOR },
    Backend { name: "graviola", ours: OURS_GRAVIOLA, floor: FLOOR_GRAVIOLA },
    Backend { name: "aws-lc-rs", ours: OURS_AWS_LC, floor: FLOOR_AWS_LC },
];

impl Entry {
    pub(crate) const fn new(
        id: &'static str,
        package: &'static str,
        crates: &'static [&'static str],
        cryptography: Cryptography,
    ) -> Self {
        Self {
            id,
            role: Role::Rival,
            cryptography,
            package,
            crates,
            variant: None,
            features: &[],
            needs_feature: None,
            note: None,
        }
    }

    const fn variant(self, variant: &'static str) -> Self {
        Self { variant: Some(variant), ..self }
    }

    pub(crate) const fn features(self, features: &'static [&'static str]) -> Self {
        Self { features, ..self }
    }

    pub(crate) const fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    const fn note(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }

    const fn needs_feature(self, feature: &'static str) -> Self {
        Self { needs_feature: Some(feature), ..self }
    }

    pub(crate) fn is_floor(&self) -> bool {
        self.role == Role::Floor
    }

    /// Whether there is a hello world of it to weigh.
    pub(crate) fn has_hello(&self) -> bool {
        self.role == Role::Rival || self.id == OURS
    }
}

pub(crate) fn find(id: &str) -> Option<&'static Entry> {
    ROSTER.iter().find(|entry| entry.id == id)
}

pub(crate) const ROSTER: &[Entry] = &[
    Entry::new(OURS, "countersign", &["countersign"], Cryptography::PureRust).role(Role::Ours),
    Entry::new(OURS_GRAVIOLA, "countersign-graviola", &["countersign"], Cryptography::Graviola)
        .variant("graviola")
        .role(Role::Ours)
        .needs_feature("graviola"),
    Entry::new(OURS_AWS_LC, "countersign-aws-lc", &["countersign"], Cryptography::AwsLc)
        .variant("aws-lc-rs")
        .role(Role::Ours)
        .needs_feature("aws-lc-rs"),
    Entry::new(
        FLOOR,
        "floor",
        &["hmac", "rsa", "p256", "p384", "p521", "k256", "ed25519-dalek", "ml-dsa"],
        Cryptography::PureRust,
    )
    .variant("RustCrypto")
    .role(Role::Floor)
    .note(
        "no token library: a keyed HMAC, base64, one pass of JSON, the clock; for key pairs the raw operation; \
         `rsa` blinds signatures; with ML-DSA it reads and writes the signature's bytes too",
    ),
    Entry::new(FLOOR_GRAVIOLA, "floor-graviola", &["graviola"], Cryptography::Graviola)
        .role(Role::Floor)
        .note("no token library: the raw operation; it does not blind"),
    Entry::new(FLOOR_AWS_LC, "floor-aws-lc", &["aws-lc-rs"], Cryptography::AwsLc)
        .role(Role::Floor)
        .note("no token library: the raw operation"),
    Entry::new(FLOOR_RING, "floor-ring", &["ring"], Cryptography::Ring)
        .role(Role::Floor)
        .note("no token library: the raw operation; it parses a public key each time"),
    Entry::new(JSONWEBTOKEN_RUST, "jsonwebtoken-12", &["jsonwebtoken"], Cryptography::PureRust)
        .variant("rust_crypto")
        .features(&["rust_crypto"]),
    Entry::new(JSONWEBTOKEN_AWS_LC, "jsonwebtoken-12", &["jsonwebtoken"], Cryptography::AwsLc)
        .variant("aws_lc_rs")
        .features(&["aws_lc_rs"]),
    Entry::new("jsonwebtoken 9", "jsonwebtoken-9", &["jsonwebtoken"], Cryptography::Ring),
    Entry::new("jwt-simple (boring)", "jwt-simple", &["jwt-simple"], Cryptography::BoringSsl)
        .variant("boring")
        .features(&["boring"])
        .note(
            "takes claims and options by value, so their clones are measured too; BoringSSL is for RSA only; ML-DSA is \
             the crate `ml-dsa`",
        ),
    Entry::new("jwt-simple (pure-rust)", "jwt-simple", &["jwt-simple"], Cryptography::PureRust)
        .variant("pure-rust")
        .features(&["pure-rust"])
        .note("takes claims and options by value, so their clones are measured too; ML-DSA is the crate `ml-dsa`"),
    Entry::new("jwt-compact", "jwt-compact", &["jwt-compact"], Cryptography::PureRust)
        .note("has no fields for `iss` and `aud`; the benchmark checks them"),
    Entry::new("jwt", "jwt", &["jwt"], Cryptography::OpenSsl).variant("openssl").note(
        "checks the signature; the benchmark checks `iss`, `aud` and `exp`; its header has no `typ`; it does not \
         pad the numbers of ECDSA signatures, so one of 128 with ES256 or ES384 is too short; three of four are \
         with ES512, which it only verifies here",
    ),
    Entry::new("josekit", "josekit", &["josekit"], Cryptography::OpenSsl)
        .note("hands out claims as a JSON map; `exp` and `aud` are checked where a token has them"),
    Entry::new("biscuit", "biscuit", &["biscuit"], Cryptography::Ring)
        .note("takes what it has to check by value, so its clone is measured too"),
    Entry::new(JWTK, "jwtk", &["jwtk"], Cryptography::OpenSsl)
        .variant("openssl")
        .note("leaves `iss` and `aud` to its caller; the benchmark checks them; its header has no `typ`"),
];
