//! The public key inside an X.509 certificate ([RFC 5280](https://www.rfc-editor.org/rfc/rfc5280)).

use crate::error::{FileMistake, KeyError};
use crate::key::file;
use crate::key::material::PublicKey;
use crate::key::pem::{self, Wanted};
use pkcs8::der::{Decode, Encode};
use x509_cert::Certificate;

impl PublicKey {
    /// Reads the public key out of the one X.509 certificate in a PEM text (`BEGIN CERTIFICATE`).
    ///
    /// For keys that are published as certificates, such as a map from `kid` to certificate. The layout of the text may vary as
    /// in [`from_pem`](Self::from_pem). The text may also hold other text, keys and parameters, but not a second certificate:
    /// of a chain, pass only the certificate that is meant, usually the first.
    ///
    /// # Security
    ///
    /// The certificate is only a container here. This function does not check any chain, signature, validity period, name, key
    /// usage or revocation: an expired, revoked or self-made certificate makes a key. Call it only for a certificate from a
    /// source that you trust, e.g. from the configured address of the issuer over TLS. Never call it for the `x5c` or `x5u` of
    /// a token's header.
    ///
    /// # Errors
    ///
    /// - [`KeyError::File`] names what the text is instead, e.g. a certificate request, a private key or a public one.
    ///   [`FileMistake::SeveralCertificates`] for more than one, [`FileMistake::BrokenCertificate`] for one that cannot be read.
    /// - [`KeyError::UnsupportedKeyType`] if the key in the certificate is of a type that no algorithm here uses.
    /// - Otherwise as [`from_pem`](Self::from_pem).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{FileMistake, KeyError, PublicKey};
    ///
    /// // openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=auth.example -days 36500
    /// let pem = "\
    /// -----BEGIN CERTIFICATE-----
    /// MIIDETCCAfmgAwIBAgIUVvD/hg8s9eJLT8yVN9SwUfsZDQ4wDQYJKoZIhvcNAQEL
    /// BQAwFzEVMBMGA1UEAwwMYXV0aC5leGFtcGxlMCAXDTI2MTIwMjAwMDkyMVoYDzIx
    /// MjYxMTA4MDAwOTIxWjAXMRUwEwYDVQQDDAxhdXRoLmV4YW1wbGUwggEiMA0GCSqG
    /// SIb3DQEBAQUAA4IBDwAwggEKAoIBAQCjeSM0sNHd3p0ZsbfsE5rcYQocLPksjutm
    /// Jv8yjPWKnCQukXXl+acVvnlyL5XiXSovW98+13VqDTjY5eFhR7l34f60tmRIbX10
    /// gPdaLrl1nGICEfJ6ioLAXqQBMgGvyYYMLaXgT3aN1ZC7wTn9NQ1QTlagdzwdmII2
    /// u4Afy4uWSZnpF5H3jhBE3GGdxv0BzyzvoIX7FwgXAICgtXZ6iewK22rCubJ+9LAA
    /// nuF3/7XparJgL4KPXiz4DAiZ8eWIDdQFe7pxAAf8L2JOcc3m0EoKA24VIIescbYn
    /// huF2HLa9GBXbZ6SLbpnBboWf59NUgfF5UYrs3vgFwu6Pq6E18HPRAgMBAAGjUzBR
    /// MB0GA1UdDgQWBBQVT/gABMciyKVBumuXHg7in4unOzAfBgNVHSMEGDAWgBQVT/gA
    /// BMciyKVBumuXHg7in4unOzAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUA
    /// A4IBAQAeEENzNIm9IhPbfInGzUktfPox2AW81nm1dgzA/XLyAq3U4fSB4rYySE5q
    /// cZGCsUOZnjL3QF2/n4Z2VlolGx4ASKmoH5R+hFZcSQ+U5oUAvf+2PjG/AK+4RnLZ
    /// j9I6gL8QYTJU71o6GdJt9jrAFXn4wLbfPUOxytYUerfksBxBfvPstr4KVvi9qY5v
    /// LpfE2TF8J2ffe9GDhMvAON/Rx3A6UBLrCqfEv6jbp2y8vk0E6CMwtf+FPZIgYvZ7
    /// NFwilAaDWN/sjV+R3wnjmvjpcoL5onlOjWJHJCn4mZ61UKVeIWE6NdKLUn+Pdx3I
    /// dXCUIfb9pGpCC9PaFkHryo3LQ53B
    /// -----END CERTIFICATE-----
    /// ";
    /// let public = PublicKey::from_certificate_pem(pem)?;
    /// assert!(public.to_pem()?.contains("o3kjNLDR3d6dGbG37BOa"));
    /// let key = public.rs256()?.with_key_id("2026-12")?;
    ///
    /// let error = PublicKey::from_certificate_pem(&pem.repeat(2)).unwrap_err();
    /// assert_eq!(error, KeyError::File(FileMistake::SeveralCertificates));
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn from_certificate_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_certificate_der(&pem::decode(pem, Wanted::Certificate)?)
    }

    /// Reads the public key out of an X.509 certificate in DER, such as a decoded entry of a JWK's `x5c`.
    ///
    /// # Security
    ///
    /// As [`from_certificate_pem`](Self::from_certificate_pem): nothing in the certificate is checked except its key.
    ///
    /// # Errors
    ///
    /// As [`from_certificate_pem`](Self::from_certificate_pem).
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, KeyError> {
        let certificate =
            Certificate::from_der(der).map_err(|_| KeyError::File(file::no_certificate(der)))?;
        let key = certificate.tbs_certificate().subject_public_key_info().to_der();
        Self::from_der(&key.map_err(|_| KeyError::File(FileMistake::BrokenCertificate))?)
    }
}
