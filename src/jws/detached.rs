//! Detached payloads ([RFC 7515 appendix F](https://www.rfc-editor.org/rfc/rfc7515#appendix-F)): the content is signed, but is
//! not in the message.

use crate::base64url;
use crate::error::{SignError, VerifyError};
use crate::json::Names;
use crate::jws::compact::{Admitted, MessageVerifier, Payload, Unverified, Verified, name_mistake};
use alloc::string::String;
use alloc::vec::Vec;

impl MessageVerifier {
    /// Verifies a message in the compact form over `content` that the message does not hold
    /// ([RFC 7515 appendix F](https://www.rfc-editor.org/rfc/rfc7515#appendix-F)).
    ///
    /// The limits do not apply to the content, because you have it in memory already.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::NotDetached`] if the message holds a payload.
    /// - The [`VerifyError`]s about the form, the header, the key and the signature.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes, VerifyError, jws};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let body = r#"{"amount":100}"#;
    /// let text = jws::Payload::new(body).unencoded().detached().sign(&key)?;
    ///
    /// let verifier = jws::MessageVerifier::new(key).accept_unencoded_payload();
    /// assert!(verifier.verify_detached(&text, body.as_bytes()).is_ok());
    /// let error = verifier.verify_detached(&text, br#"{"amount":900}"#).unwrap_err();
    /// assert_eq!(error, VerifyError::InvalidSignature);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_detached(&self, text: &str, content: &[u8]) -> Result<Verified, VerifyError> {
        self.verify_parts(text, content).map_err(|error| name_mistake(text, error))
    }

    fn verify_parts(&self, text: &str, content: &[u8]) -> Result<Verified, VerifyError> {
        let token = Unverified::split(text, self.0.limits())?;
        if !token.payload_segment().is_empty() {
            return Err(VerifyError::NotDetached);
        }
        let admitted = self.0.admit(token.header_segment(), &Names::new())?;
        admitted.verify_content(token.header_segment(), content, token.signature_segment())
    }
}

impl Admitted<'_> {
    /// Checks the signature over the encoded header and `content`.
    pub(crate) fn verify_content(
        self,
        header: &str,
        content: &[u8],
        signature: &str,
    ) -> Result<Verified, VerifyError> {
        let mut input = Vec::new();
        input.extend_from_slice(header.as_bytes());
        input.push(b'.');
        if self.header.unencoded {
            input.extend_from_slice(content);
        } else {
            base64url::encode_onto(&mut input, content);
        }
        self.verify(&input, signature, || Ok(content.into()))
    }
}

impl Payload<'_> {
    /// Leaves the bytes out of the message ([RFC 7515 appendix F](https://www.rfc-editor.org/rfc/rfc7515#appendix-F)). The
    /// recipient has to get them in another way, e.g. as the body of the same request, and verifies them with
    /// [`verify_detached`](MessageVerifier::verify_detached).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes, jws};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let text = jws::Payload::new("the body").detached().sign(&key)?;
    /// assert!(text.contains(".."));
    /// assert!(jws::MessageVerifier::new(key).verify_detached(&text, b"the body").is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn detached(self) -> Self {
        self.leave_out(write)
    }
}

fn write(header: &str, _: Option<&[u8]>, signature: &str) -> Result<String, SignError> {
    Ok([header, "..", signature].concat())
}
