//! The flattened JSON serialization ([RFC 7515 section 7.2.2](https://www.rfc-editor.org/rfc/rfc7515#section-7.2.2)).
//!
//! The unprotected header is not returned, and nothing in it chooses a key or an algorithm.

use crate::error::{Part, SignError, VerifyError};
use crate::header::{MOST_PARAMETERS, check_unprotected};
use crate::json::{self, Flaw, NameSeed, Names, Object};
use crate::jws::compact::{
    Admitted, MessageVerifier, Payload, Verified, check_alphabet, check_header_and_signature,
    check_token_bytes, decode_payload,
};
use crate::limits::Limits;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};

impl MessageVerifier {
    /// Verifies a message in the flattened JSON serialization
    /// ([RFC 7515 section 7.2.2](https://www.rfc-editor.org/rfc/rfc7515#section-7.2.2)) and decodes its payload.
    ///
    /// The rules are those of the compact form. The limit for a token is that for the whole JSON text.
    ///
    /// # Security
    ///
    /// The unprotected header (`header`) is outside of the signature. It must be well-formed and must not repeat a name of the
    /// protected header. Otherwise it has no effect: a `kid` in it chooses no key, and a `typ` in it does not count for
    /// [`typ`](Self::typ). A message with `alg`, `crit` or `b64` in it is refused.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::InvalidMember`] for a member that is missing, malformed or empty, and for the general JSON
    ///   serialization.
    /// - [`VerifyError::UnprotectedParameter`] for `alg`, `crit` or `b64` in the unprotected header.
    /// - [`VerifyError::DuplicateMember`] for a name that is in both headers.
    /// - The [`VerifyError`]s about the form, the header, the key and the signature.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes, VerifyError, jws};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let json = jws::Payload::new("hello").flattened().sign(&key)?;
    /// assert!(json.starts_with(r#"{"payload":"aGVsbG8","protected":"#));
    ///
    /// let verifier = jws::MessageVerifier::new(key);
    /// assert_eq!(verifier.verify_flattened(&json)?.payload(), b"hello");
    ///
    /// let changed = json.replace(r#""protected""#, r#""header":{"alg":"none"},"protected""#);
    /// assert!(verifier.verify_flattened(&changed).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_flattened(&self, json: &str) -> Result<Verified, VerifyError> {
        let message = Message::parse(json, self.0.limits())?;
        let payload = message.payload.as_deref().ok_or(VerifyError::InvalidMember { name: "payload" })?;
        let admitted = self.admit_message(&message)?;
        if !admitted.header.unencoded {
            check_alphabet(payload, Part::Payload)?;
        }
        let input = [message.protected(), ".", payload].concat();
        let is_unencoded = admitted.header.unencoded;
        admitted.verify(input.as_bytes(), &message.signature, || {
            if is_unencoded {
                return Ok(payload.into());
            }
            let mut bytes = Vec::new();
            decode_payload(&mut bytes, payload)?;
            Ok(bytes)
        })
    }

    /// Verifies a message in the flattened JSON serialization over `content` that the message does not hold. See
    /// [`verify_flattened`](Self::verify_flattened) and [`verify_detached`](Self::verify_detached).
    ///
    /// # Errors
    ///
    /// - [`VerifyError::NotDetached`] if the message has the member `payload`, also if it is empty.
    /// - The same as [`verify_flattened`](Self::verify_flattened).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes, VerifyError, jws};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let json = jws::Payload::new("the body").flattened().detached().sign(&key)?;
    /// assert!(!json.contains("payload"));
    ///
    /// let verifier = jws::MessageVerifier::new(key);
    /// assert!(verifier.verify_flattened_detached(&json, b"the body").is_ok());
    /// assert!(verifier.verify_flattened_detached(&json, b"another body").is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_flattened_detached(&self, json: &str, content: &[u8]) -> Result<Verified, VerifyError> {
        let message = Message::parse(json, self.0.limits())?;
        if message.payload.is_some() {
            return Err(VerifyError::NotDetached);
        }
        let admitted = self.admit_message(&message)?;
        admitted.verify_content(message.protected(), content, &message.signature)
    }

    fn admit_message(&self, message: &Message<'_>) -> Result<Admitted<'_>, VerifyError> {
        check_header_and_signature(message.protected(), &message.signature, self.0.limits())?;
        self.0.admit(message.protected(), &message.unprotected)
    }
}

impl Payload<'_> {
    /// Writes the message in the flattened JSON serialization
    /// ([RFC 7515 section 7.2.2](https://www.rfc-editor.org/rfc/rfc7515#section-7.2.2)). The whole header is protected. The
    /// recipient verifies it with [`verify_flattened`](MessageVerifier::verify_flattened).
    #[must_use]
    pub const fn flattened(self) -> Self {
        self.in_form(write)
    }
}

fn write(header: &str, payload: Option<&[u8]>, signature: &str) -> Result<String, SignError> {
    let payload = payload.map(core::str::from_utf8).transpose().map_err(|_| SignError::SigningFailed)?;
    let members = [("payload", payload), ("protected", Some(header)), ("signature", Some(signature))];
    let mut object = Object::new();
    for (name, value) in members {
        if let Some(value) = value {
            object.member(name, value).map_err(|_| SignError::Serialize)?;
        }
    }
    String::from_utf8(object.finish()).map_err(|_| SignError::Serialize)
}

/// A message of which only the form is checked.
struct Message<'j> {
    payload: Option<Cow<'j, str>>,
    protected: Option<Cow<'j, str>>,
    /// The names in the unprotected header.
    unprotected: Names<'j>,
    signature: Cow<'j, str>,
}

impl<'j> Message<'j> {
    fn parse(json: &'j str, limits: &Limits) -> Result<Self, VerifyError> {
        check_token_bytes(json, limits)?;
        let refused = |flaw| VerifyError::of_json(Part::Message, flaw);
        json::check_text(json, limits).map_err(refused)?;
        let mut reading = Reading::new(limits);
        match json::read(json, |reader| reader.deserialize_map(&mut reading)) {
            Ok(()) => reading.finish(),
            Err(offset) => Err(match (reading.refusal, reading.member) {
                (Some(error), _) => error,
                (None, Some(name)) => match json::broken_at(json) {
                    Some(offset) => refused(Flaw::Invalid { offset }),
                    None => VerifyError::InvalidMember { name },
                },
                (None, None) => refused(Flaw::Invalid { offset }),
            }),
        }
    }

    fn protected(&self) -> &str {
        self.protected.as_deref().unwrap_or_default()
    }
}

/// A message that is being read.
struct Reading<'l, 'j> {
    limits: &'l Limits,
    names: Names<'j>,
    /// The member that is being read, for the error.
    member: Option<&'static str>,
    /// Why reading was stopped, if not for the JSON.
    refusal: Option<VerifyError>,
    payload: Option<Cow<'j, str>>,
    protected: Option<Cow<'j, str>>,
    unprotected: Option<Names<'j>>,
    signature: Option<Cow<'j, str>>,
}

impl<'l, 'j> Reading<'l, 'j> {
    const fn new(limits: &'l Limits) -> Self {
        Self {
            limits,
            names: Names::new(),
            member: None,
            refusal: None,
            payload: None,
            protected: None,
            unprotected: None,
            signature: None,
        }
    }

    /// Checks which members are there.
    fn finish(self) -> Result<Message<'j>, VerifyError> {
        let bad = |name| Err(VerifyError::InvalidMember { name });
        let Self { payload, protected, unprotected, signature, .. } = self;
        // A header without parameters must be left out.
        if protected.as_deref() == Some("") {
            return bad("protected");
        }
        if unprotected.as_ref().is_some_and(|names| names.len() == 0) {
            return bad("header");
        }
        match (&protected, &unprotected) {
            (None, None) => return bad("protected"),
            (None, Some(names)) => {
                check_unprotected(names)?;
                return Err(VerifyError::InvalidHeader { name: "alg" });
            }
            (Some(_), _) => {}
        }
        let Some(signature) = signature else { return bad("signature") };
        Ok(Message { payload, protected, unprotected: unprotected.unwrap_or_else(Names::new), signature })
    }

    fn read_value<A: MapAccess<'j>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "payload" => self.payload = Some(self.text("payload", map)?),
            "protected" => self.protected = Some(self.text("protected", map)?),
            "signature" => self.signature = Some(self.text("signature", map)?),
            "header" => {
                self.member = Some("header");
                self.unprotected = Some(map.next_value_seed(Unprotected(self))?);
                self.member = None;
            }
            // RFC 7515 section 7.2.2 forbids this member of the general form. Other members are ignored.
            "signatures" => return self.refuse(VerifyError::InvalidMember { name: "signatures" }),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn text<A: MapAccess<'j>>(&mut self, name: &'static str, map: &mut A) -> Result<Cow<'j, str>, A::Error> {
        self.member = Some(name);
        let text = map.next_value_seed(NameSeed)?;
        self.member = None;
        Ok(text)
    }

    fn refuse<T, E: serde::de::Error>(&mut self, error: VerifyError) -> Result<T, E> {
        self.refusal = Some(error);
        Err(json::stop())
    }
}

impl<'j> Visitor<'j> for &mut Reading<'_, 'j> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed)? {
            if let Err(flaw) = self.names.admit(name.clone(), 0, self.limits) {
                return self.refuse(VerifyError::of_json(Part::Message, flaw));
            }
            self.read_value(&name, &mut map)?;
        }
        Ok(())
    }
}

/// Reads the names of the unprotected header.
struct Unprotected<'r, 'l, 'j>(&'r mut Reading<'l, 'j>);

impl<'j> DeserializeSeed<'j> for Unprotected<'_, '_, 'j> {
    type Value = Names<'j>;

    fn deserialize<D: Deserializer<'j>>(self, deserializer: D) -> Result<Names<'j>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'j> Visitor<'j> for Unprotected<'_, '_, 'j> {
    type Value = Names<'j>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'j>>(self, mut map: A) -> Result<Names<'j>, A::Error> {
        let mut names = Names::new();
        while let Some(name) = map.next_key_seed(NameSeed)? {
            let admitted = if names.len() < MOST_PARAMETERS {
                names.admit(name, 0, self.0.limits)
            } else {
                Err(Flaw::TooManyMembers { limit: MOST_PARAMETERS })
            };
            if let Err(flaw) = admitted {
                return self.0.refuse(VerifyError::of_json(Part::UnprotectedHeader, flaw));
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(names)
    }
}
