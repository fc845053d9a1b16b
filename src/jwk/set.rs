//! Reads and writes sets of keys: JWK sets ([RFC 7517 section 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)) and maps of
//! certificates.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use crate::json::members::{self, Elements, Members};
use crate::json::{Flaw, Names};
use crate::jwk::error::JwkError;
use crate::jwk::read::{Jwk, check_json, refused};
use crate::key::VerifyingKey;
use crate::key::material::PublicKey;
use crate::keyset::KeySet;
use crate::limits::Limits;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

/// The longest text of a set, in bytes. A key of an identity provider has 0.4 to 4 KiB.
const MOST_BYTES: usize = 1024 * 1024;

/// The largest number of entries.
const MOST_KEYS: usize = 1000;

/// The keys of a set that can be used, and the entries that cannot.
///
/// Returned by [`KeySet::from_jwks`], which shows how to use it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct LoadedKeys {
    /// The keys.
    pub keys: KeySet,
    /// The entries that made no key, in the order of the text. Log them: a token with such a `kid` is refused as one with an
    /// unknown key.
    pub skipped: Vec<SkippedKey>,
}

/// An entry of a set that made no key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedKey {
    /// The position of the entry, from zero.
    pub position: usize,
    /// The `kid` of the entry, if it has one that can be read.
    pub key_id: Option<String>,
    /// Why it made no key.
    pub reason: KeyError,
}

/// What turns material into a key: a backend.
type Backend<'a> = &'a dyn Fn(&PublicKey, Algorithm) -> Result<VerifyingKey, KeyError>;

impl KeySet {
    /// Reads a JWK set, such as the answer of an identity provider at its `jwks_uri`, and keeps the keys for these algorithms.
    ///
    /// Each entry is read alone. One that makes no key is skipped with its reason, and the others are kept:
    ///
    /// - An entry with `alg` makes a key for this algorithm, if it is allowed. Without `alg`, which is usual, it makes one key for
    ///   each allowed algorithm of its type.
    /// - `use` must be absent or `sig`, and `key_ops` absent or hold `verify`. So encryption keys are skipped.
    /// - An entry with a private member or a secret (`oct`) is skipped: a set is public.
    /// - An entry that repeats another one adds nothing. If two entries have the same `kid` and algorithm but other numbers, both
    ///   are skipped with [`KeyError::DuplicateKey`], because the token cannot tell which one it means.
    ///
    /// Members next to `keys` are ignored.
    ///
    /// # Security
    ///
    /// Allow only the algorithms that the issuer uses. Take the text from a source that you trust, such as an `https` URL from
    /// your configuration, and never from a URL in a token.
    ///
    /// # Errors
    ///
    /// [`KeyError::Jwk`] if the text as a whole is not a set:
    ///
    /// - [`JwkError::NotAnObject`]; [`JwkError::Html`], [`JwkError::Pem`]; [`JwkError::NotASet`] for a single JWK.
    /// - [`JwkError::MissingMember`] or [`JwkError::WrongType`] for `keys`. An empty `keys` is allowed, and makes an empty set.
    /// - [`JwkError::DuplicateMember`], [`JwkError::ReservedMember`].
    /// - [`JwkError::TooLarge`] over 1 MiB, over 1,000 entries, or over a limit of [`Limits::new`] for nesting or members.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "rsa-verify")] {
    /// use countersign::{Algorithm, KeyError, KeySet, jwk::JwkError};
    ///
    /// let body = r#"{"keys":[
    ///     {"kty":"RSA","use":"sig","kid":"2026-11","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"},
    ///     {"kty":"RSA","use":"enc","kid":"e1","e":"AQAB","n":"AAAA"}
    /// ]}"#;
    /// let loaded = KeySet::from_jwks(body, &[Algorithm::Rs256])?;
    /// assert_eq!(loaded.keys.len(), 1);
    /// let skipped = &loaded.skipped[0];
    /// assert_eq!((skipped.position, skipped.key_id.as_deref()), (1, Some("e1")));
    /// assert_eq!(skipped.reason, KeyError::Jwk(JwkError::NotAllowed { member: "use" }));
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn from_jwks(text: &str, allowed: &[Algorithm]) -> Result<LoadedKeys, KeyError> {
        Self::from_jwks_with(text, allowed, PublicKey::verifying_key)
    }

    /// Reads a JWK set as [`from_jwks`](Self::from_jwks) does, and makes its keys with another backend, such as
    /// `countersign::aws_lc::verifying_key`, or one backend after another.
    ///
    /// # Errors
    ///
    /// As [`from_jwks`](Self::from_jwks).
    ///
    /// # Examples
    ///
    /// Keys that the backend does not take are made in Rust:
    ///
    /// ```
    /// # #[cfg(feature = "aws-lc-rs")] {
    /// use countersign::{Algorithm, KeyError, KeySet, aws_lc};
    ///
    /// let body = r#"{"keys":[]}"#;
    /// let loaded = KeySet::from_jwks_with(body, &[Algorithm::Es256, Algorithm::Es256k], |public, algorithm| {
    ///     match aws_lc::verifying_key(public, algorithm) {
    ///         Err(KeyError::UnsupportedByBackend) => public.verifying_key(algorithm),
    ///         made => made,
    ///     }
    /// })?;
    /// assert!(loaded.keys.is_empty());
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn from_jwks_with(
        text: &str,
        allowed: &[Algorithm],
        backend: impl Fn(&PublicKey, Algorithm) -> Result<VerifyingKey, KeyError>,
    ) -> Result<LoadedKeys, KeyError> {
        read(text, &["sig"], allowed, &backend)
    }

    /// Reads the bundle of a SPIFFE trust domain as [`from_jwks`](Self::from_jwks) does. A key for JWT-SVIDs has the `use`
    /// `jwt-svid`; one for X.509-SVIDs is skipped
    /// ([JWT-SVID section 4](https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md)).
    ///
    /// # Errors
    ///
    /// As [`from_jwks`](Self::from_jwks).
    pub fn from_spiffe_bundle(text: &str, allowed: &[Algorithm]) -> Result<LoadedKeys, KeyError> {
        read(text, &["jwt-svid"], allowed, &PublicKey::verifying_key)
    }

    /// Reads a JSON object of key ids with certificates in PEM, as Firebase publishes its keys.
    ///
    /// Each certificate makes one key for each of the allowed algorithms of its type. A value that makes no key is skipped with
    /// its reason.
    ///
    /// # Security
    ///
    /// Nothing in a certificate is checked except its key: not its dates, and not its signature. Take the text from a source that
    /// you trust.
    ///
    /// # Errors
    ///
    /// [`KeyError::Jwk`] if the text is not such an object: [`JwkError::NotAnObject`], [`JwkError::Html`],
    /// [`JwkError::DuplicateMember`], [`JwkError::ReservedMember`], and [`JwkError::TooLarge`] over 1 MiB or over 1,000 values.
    #[cfg(feature = "certificate")]
    pub fn from_certificate_map(text: &str, allowed: &[Algorithm]) -> Result<LoadedKeys, KeyError> {
        let members = top(text, &Limits { members: MOST_KEYS, ..Limits::new() }).map_err(KeyError::Jwk)?;
        let mut collected = Collected::default();
        for (position, (key_id, value)) in members.into_iter().enumerate() {
            let public = match members::text(value) {
                Some(pem) => PublicKey::from_certificate_pem(&pem),
                None => {
                    let found = members::kind(value);
                    Err(KeyError::Jwk(JwkError::WrongType {
                        member: "certificate",
                        expected: "a string",
                        found,
                    }))
                }
            };
            let keys =
                public.and_then(|public| keys(&public, allowed, Some(&key_id), &PublicKey::verifying_key));
            collected.add(position, Some(key_id.into()), keys);
        }
        Ok(collected.finish())
    }

    /// Writes the keys as a JWK set, for publication: each with `use` (`sig`), `alg` as its tokens spell it, and `kid`. A key
    /// without a key id gets its thumbprint.
    ///
    /// Publish a key before it signs, and keep it until the last token that it signed has expired.
    ///
    /// # Errors
    ///
    /// - [`JwkError::Secret`] if the set holds an HMAC key, which must not be published.
    /// - [`JwkError::NoMaterial`] if it holds a key made by [`VerifyingKey::custom`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "ed25519", feature = "getrandom"))] {
    /// use countersign::{Algorithm, KeySet, PrivateKey};
    ///
    /// let signing = PrivateKey::generate(Algorithm::Ed25519)?.ed25519()?.with_key_id("2026-11")?;
    /// let mut keys = KeySet::new();
    /// keys.insert(signing.verifying_key())?;
    /// let published = keys.to_jwks()?;
    ///
    /// let loaded = KeySet::from_jwks(&published, &[Algorithm::Ed25519])?;
    /// assert_eq!((loaded.keys.len(), loaded.skipped.len()), (1, 0));
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_jwks(&self) -> Result<String, KeyError> {
        let mut text = String::from("{\"keys\":[");
        for (position, key) in self.iter().enumerate() {
            let key = key.verifying().ok_or(KeyError::Jwk(JwkError::Secret))?;
            let public = key.public_key().ok_or(KeyError::Jwk(JwkError::NoMaterial))?;
            if position > 0 {
                text.push(',');
            }
            match key.key_id() {
                Some(_) => text.push_str(&key.to_jwk()?),
                None => {
                    let named = key.clone().with_key_id(alloc::format!("{}", public.thumbprint()?))?;
                    text.push_str(&named.to_jwk()?);
                }
            }
        }
        text.push_str("]}");
        Ok(text)
    }
}

/// Reads a JWK set. `uses` are the values of `use` that are taken, besides its absence.
fn read(
    text: &str,
    uses: &[&str],
    allowed: &[Algorithm],
    backend: Backend<'_>,
) -> Result<LoadedKeys, KeyError> {
    let entries = entries(text).map_err(KeyError::Jwk)?;
    let mut collected = Collected::default();
    for (position, entry) in entries.into_iter().enumerate() {
        let jwk = Jwk::parse(entry);
        let key_id = jwk.as_ref().ok().and_then(Jwk::key_id).map(String::from);
        let keys = jwk.and_then(|jwk| {
            jwk.check_use(uses, &["verify"])?;
            let allowed = jwk.allowed(allowed)?;
            keys(&jwk.public_key()?, &allowed, jwk.key_id(), backend)
        });
        collected.add(position, key_id, keys);
    }
    Ok(collected.finish())
}

/// Returns the text of each entry of `keys`.
fn entries(text: &str) -> Result<Vec<&str>, JwkError> {
    let mut found = None;
    let mut is_key = false;
    for (name, value) in top(text, &Limits::new())? {
        match &*name {
            "keys" => found = Some(value),
            "kty" => is_key = true,
            _ => {}
        }
    }
    let Some(value) = found else {
        return Err(if is_key { JwkError::NotASet } else { JwkError::MissingMember { member: "keys" } });
    };
    let wrong = || JwkError::WrongType { member: "keys", expected: "an array", found: members::kind(value) };
    let entries: Vec<&str> =
        Elements::of(value).ok_or_else(wrong)?.take(MOST_KEYS.saturating_add(1)).collect();
    if entries.len() > MOST_KEYS {
        return Err(JwkError::TooLarge { what: "keys", limit: MOST_KEYS });
    }
    Ok(entries)
}

/// Returns the members of an object: their names, which differ, and the text of their values.
fn top<'a>(text: &'a str, limits: &Limits) -> Result<Vec<(alloc::borrow::Cow<'a, str>, &'a str)>, JwkError> {
    if text.len() > MOST_BYTES {
        return Err(JwkError::TooLarge { what: "bytes", limit: MOST_BYTES });
    }
    check_json(text, limits)?;
    let (mut found, mut names) = (Vec::new(), Names::new());
    for (name, value) in Members::of(text).ok_or(JwkError::NotAnObject { offset: 0 })? {
        let name = members::text(name).ok_or(JwkError::NotAnObject { offset: 0 })?;
        names.admit(name.clone(), 0, limits).map_err(|flaw| match flaw {
            Flaw::DuplicateMember if name == "keys" => JwkError::DuplicateMember { member: Some("keys") },
            flaw => refused(flaw),
        })?;
        found.push((name, value));
    }
    Ok(found)
}

/// Makes one key for each of these algorithms that needs a key of this type, and at least one.
fn keys(
    public: &PublicKey,
    allowed: &[Algorithm],
    key_id: Option<&str>,
    backend: Backend<'_>,
) -> Result<Vec<VerifyingKey>, KeyError> {
    let mut made = Vec::new();
    let mut refusal = KeyError::Jwk(JwkError::NotAllowed { member: "kty" });
    for algorithm in allowed.iter().copied().filter(|algorithm| public.material.fits(*algorithm)) {
        let key = backend(public, algorithm);
        match key.and_then(|key| key_id.map_or(Ok(key.clone()), |key_id| key.with_key_id(key_id))) {
            Ok(key) => made.push(key),
            Err(error) => refusal = error,
        }
    }
    if made.is_empty() { Err(refusal) } else { Ok(made) }
}

/// The keys of the entries that were read so far.
#[derive(Default)]
struct Collected {
    /// By algorithm and key id. `None` in place of a key that two entries contradict each other about.
    keys: BTreeMap<(&'static str, Option<String>), Found>,
    skipped: Vec<SkippedKey>,
}

struct Found {
    key: VerifyingKey,
    /// The positions of the entries with this key id and algorithm, and whether their numbers differ.
    positions: Vec<usize>,
    differ: bool,
}

impl Collected {
    fn add(&mut self, position: usize, key_id: Option<String>, keys: Result<Vec<VerifyingKey>, KeyError>) {
        match keys {
            Err(reason) => self.skipped.push(SkippedKey { position, key_id, reason }),
            Ok(keys) => keys.into_iter().for_each(|key| self.insert(position, key)),
        }
    }

    fn insert(&mut self, position: usize, key: VerifyingKey) {
        let place = (key.algorithm().name(), key.key_id().map(String::from));
        match self.keys.get_mut(&place) {
            Some(found) => {
                found.differ |= found.key.public_key() != key.public_key();
                found.positions.push(position);
            }
            None => {
                self.keys.insert(place, Found { key, positions: Vec::from([position]), differ: false });
            }
        }
    }

    fn finish(mut self) -> LoadedKeys {
        let mut keys = KeySet::new();
        for ((_, key_id), found) in self.keys {
            // The keys differ in algorithm or key id, so `insert` takes each of them.
            if !found.differ && keys.insert(found.key).is_ok() {
                continue;
            }
            for position in found.positions {
                let reason = KeyError::DuplicateKey;
                self.skipped.push(SkippedKey { position, key_id: key_id.clone(), reason });
            }
        }
        // An entry that is contradicted for several algorithms is listed once.
        self.skipped.sort_by_key(|skipped| skipped.position);
        self.skipped.dedup();
        LoadedKeys { keys, skipped: self.skipped }
    }
}
