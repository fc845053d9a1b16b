//! The builds that are compared. To add a library, write its package and add it here.

pub(crate) const OURS: &str = "countersign";
pub(crate) const OURS_AWS_LC: &str = "countersign (aws-lc-rs)";
pub(crate) const FLOOR: &str = "floor";
pub(crate) const FLOOR_AWS_LC: &str = "floor (aws-lc-rs)";
pub(crate) const JSONWEBTOKEN_RUST: &str = "jsonwebtoken 12 (rust_crypto)";
pub(crate) const JSONWEBTOKEN_AWS_LC: &str = "jsonwebtoken 12 (aws_lc_rs)";

/// One build of one library.
pub(crate) struct Entry {
    /// What it is called here.
    pub(crate) id: &'static str,
    pub(crate) role: Role,
    pub(crate) rsa: Rsa,
    /// Its folder in `peers`, and in `weight` if it has one there. The packages are called `compare-` and
    /// `weight-` with this name.
    pub(crate) package: &'static str,
    /// The crate whose version is told; of a floor, those that it is made of.
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

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rsa {
    PureRust,
    /// C or assembly.
    Native,
}

impl Entry {
    const fn new(id: &'static str, package: &'static str, crates: &'static [&'static str], rsa: Rsa) -> Self {
        Self {
            id,
            role: Role::Rival,
            rsa,
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

    const fn features(self, features: &'static [&'static str]) -> Self {
        Self { features, ..self }
    }

    const fn role(self, role: Role) -> Self {
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
        !self.is_floor() && self.id != OURS_AWS_LC
    }
}

pub(crate) fn find(id: &str) -> Option<&'static Entry> {
    ROSTER.iter().find(|entry| entry.id == id)
}

/// Weighed beside the others: what is left where nobody needs RSA.
pub(crate) const OURS_HS256: &Entry =
    &Entry::new("countersign (HS256 only)", "countersign-hs256", &["countersign"], Rsa::PureRust)
        .role(Role::Ours);

pub(crate) const ROSTER: &[Entry] = &[
    Entry::new(OURS, "countersign", &["countersign"], Rsa::PureRust).role(Role::Ours),
    Entry::new(OURS_AWS_LC, "countersign-aws-lc", &["countersign"], Rsa::Native)
        .variant("aws-lc-rs")
        .role(Role::Ours)
        .needs_feature("aws-lc-rs"),
    Entry::new(FLOOR, "floor", &["hmac", "rsa"], Rsa::PureRust).role(Role::Floor).note(
        "no token library: a keyed HMAC, base64, one pass of JSON, the clock; for RSA the raw operation",
    ),
    Entry::new(FLOOR_AWS_LC, "floor-aws-lc", &["aws-lc-rs"], Rsa::Native)
        .role(Role::Floor)
        .note("no token library: the raw RSA operation"),
    Entry::new(JSONWEBTOKEN_RUST, "jsonwebtoken-12", &["jsonwebtoken"], Rsa::PureRust)
        .variant("rust_crypto")
        .features(&["rust_crypto"]),
    Entry::new(JSONWEBTOKEN_AWS_LC, "jsonwebtoken-12", &["jsonwebtoken"], Rsa::Native)
        .variant("aws_lc_rs")
        .features(&["aws_lc_rs"]),
    Entry::new("jsonwebtoken 9", "jsonwebtoken-9", &["jsonwebtoken"], Rsa::Native),
    Entry::new("jwt-simple (boring)", "jwt-simple", &["jwt-simple"], Rsa::Native)
        .variant("boring")
        .features(&["boring"])
        .note("takes claims and options by value, so their clones are measured too"),
    Entry::new("jwt-simple (pure-rust)", "jwt-simple", &["jwt-simple"], Rsa::PureRust)
        .variant("pure-rust")
        .features(&["pure-rust"])
        .note("takes claims and options by value, so their clones are measured too"),
    Entry::new("jwt-compact", "jwt-compact", &["jwt-compact"], Rsa::PureRust)
        .note("has no fields for `iss` and `aud`; the benchmark checks them"),
    Entry::new("jwt", "jwt", &["jwt"], Rsa::Native)
        .variant("openssl")
        .note("checks the signature; the benchmark checks `iss`, `aud` and `exp`; its header has no `typ`"),
    Entry::new("josekit", "josekit", &["josekit"], Rsa::Native)
        .note("hands out claims as a JSON map; `exp` and `aud` are checked where a token has them"),
    Entry::new("biscuit", "biscuit", &["biscuit"], Rsa::Native)
        .note("takes what it has to check by value, so its clone is measured too"),
    Entry::new("jwtk", "jwtk", &["jwtk"], Rsa::Native)
        .variant("openssl")
        .note("leaves `iss` and `aud` to its caller; the benchmark checks them; its header has no `typ`"),
];
