//! Keys in a PKCS#11 token: an HSM, a smart card, SoftHSM. The private half stays there.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign::{
    Algorithm, Identity, Key, KeyError, PublicKey, SignError, SignKey, Signature, SigningKey, VerifyingKey,
};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use der::Decode;
use der::asn1::OctetStringRef;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// Why a token or a key in it cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The PKCS#11 module refuses a call, e.g. because the PIN is wrong.
    #[error("the PKCS#11 module refuses: {0}")]
    Module(#[from] cryptoki::error::Error),
    /// The module has no token with this label.
    #[error("no token has the label {0:?}: list them with `pkcs11-tool --list-token-slots`")]
    NoToken(String),
    /// The token has no key, or several keys, with this label.
    #[error("the token has {count} keys of class {class} with the label {label:?}, and one is needed")]
    Keys { class: &'static str, label: String, count: usize },
    /// This example signs with three algorithms.
    #[error("use RS256, ES256 or EdDSA, not {0}")]
    Algorithm(Algorithm),
    /// The public half lacks an attribute, or it has a form that PKCS#11 does not define.
    #[error("the public key in the token is incomplete")]
    Incomplete,
    /// The public half is not a key for this algorithm.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A token after the login. All keys share its session, so they sign one after another.
pub(crate) struct Token(Arc<Mutex<Session>>);

impl Token {
    /// Loads the module, finds the token by its label, and logs in.
    pub(crate) fn open(module: &Path, label: &str, pin: String) -> Result<Self, Error> {
        let module = Pkcs11::new(module)?;
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))?;
        for slot in module.get_slots_with_initialized_token()? {
            if module.get_token_info(slot)?.label() == label {
                let session = module.open_ro_session(slot)?;
                session.login(UserType::User, Some(&AuthPin::new(pin.into())))?;
                return Ok(Self(Arc::new(Mutex::new(session))));
            }
        }
        Err(Error::NoToken(label.into()))
    }

    /// Returns the key pair with this label as a key for `algorithm`. The label becomes the key id.
    pub(crate) fn signing_key(&self, label: &str, algorithm: Algorithm) -> Result<SigningKey, Error> {
        if !matches!(algorithm, Algorithm::Rs256 | Algorithm::Es256 | Algorithm::Ed25519) {
            return Err(Error::Algorithm(algorithm));
        }
        let identity = Identity::new(algorithm).with_key_id(label)?;
        let session = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let private = one(&session, "private", ObjectClass::PRIVATE_KEY, label)?;
        let public = one(&session, "public", ObjectClass::PUBLIC_KEY, label)?;
        let verifying: VerifyingKey =
            public_key(&session, public)?.verifying_key(algorithm)?.with_key_id(label)?;
        let key = TokenKey { identity, session: Arc::clone(&self.0), private };
        Ok(SigningKey::custom(key, verifying)?)
    }
}

/// A private key that stays in the token.
struct TokenKey {
    identity: Identity,
    session: Arc<Mutex<Session>>,
    private: ObjectHandle,
}

impl Key for TokenKey {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl SignKey for TokenKey {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        let session = self.session.lock().map_err(|_| SignError::SigningFailed)?;
        let sign = |mechanism: Mechanism<'_>, data: &[u8]| session.sign(&mechanism, self.private, data);
        let signature = match self.identity.algorithm() {
            Algorithm::Rs256 => sign(Mechanism::Sha256RsaPkcs, input),
            // Many tokens have no mechanism that also makes the hash. The result has the fixed form that JWS asks for, not DER.
            Algorithm::Es256 => sign(Mechanism::Ecdsa, &Sha256::digest(input)),
            _ => sign(Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Ed25519)), input),
        };
        signature.map(|bytes| Signature::from_bytes(&bytes)).map_err(|_| SignError::SigningFailed)
    }
}

/// Finds the only object of this class with this label.
fn one(
    session: &Session,
    class: &'static str,
    object: ObjectClass,
    label: &str,
) -> Result<ObjectHandle, Error> {
    let template = [Attribute::Class(object), Attribute::Label(label.into())];
    match *session.find_objects(&template)? {
        [found] => Ok(found),
        ref found => Err(Error::Keys { class, label: label.into(), count: found.len() }),
    }
}

/// Reads the public half through its JWK. The members of a JWK are the attributes of PKCS#11.
fn public_key(session: &Session, key: ObjectHandle) -> Result<PublicKey, Error> {
    let (mut key_type, mut modulus, mut exponent, mut point) = (None, None, None, None);
    let wanted = [
        AttributeType::KeyType,
        AttributeType::Modulus,
        AttributeType::PublicExponent,
        AttributeType::EcPoint,
    ];
    for attribute in session.get_attributes(key, &wanted)? {
        match attribute {
            Attribute::KeyType(found) => key_type = Some(found),
            Attribute::Modulus(bytes) => modulus = Some(bytes),
            Attribute::PublicExponent(bytes) => exponent = Some(bytes),
            Attribute::EcPoint(bytes) => point = Some(bytes),
            _ => {}
        }
    }
    let point = point.as_deref().map(octets).transpose()?;
    let text = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    match (key_type, modulus, exponent, point) {
        (Some(KeyType::RSA), Some(modulus), Some(exponent), _) => {
            Ok(PublicKey::from_modulus_and_exponent(&modulus, &exponent)?)
        }
        // The first octet says that both coordinates follow.
        (Some(KeyType::EC), _, _, Some([4, xy @ ..])) if xy.len() == 64 => {
            let (x, y) = xy.split_at(32);
            let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{}","y":"{}"}}"#, text(x), text(y));
            Ok(PublicKey::from_jwk(&jwk)?)
        }
        (Some(KeyType::EC_EDWARDS), _, _, Some(x)) => {
            Ok(PublicKey::from_jwk(&format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, text(x)))?)
        }
        _ => Err(Error::Incomplete),
    }
}

/// Takes a point out of the OCTET STRING that PKCS#11 puts around it.
fn octets(der: &[u8]) -> Result<&[u8], Error> {
    <&OctetStringRef>::from_der(der).map(OctetStringRef::as_bytes).map_err(|_| Error::Incomplete)
}
