//! Which addresses are fetched: `https` only, except on this machine.

use crate::error::Error;
use url::{Host, Url};

/// Reads the address of a key set.
pub(crate) fn key_set(text: &str) -> Result<Url, Error> {
    let url = read(text)?;
    if !is_allowed(&url) {
        return Err(refused(text, "must begin with https, unless its host is this machine"));
    }
    Ok(url)
}

/// Reads an issuer whose metadata is to be fetched
/// ([RFC 8414 section 2](https://www.rfc-editor.org/rfc/rfc8414#section-2)).
pub(crate) fn issuer(text: &str) -> Result<Url, Error> {
    let url = key_set(text)?;
    if url.query().is_some() {
        return Err(refused(text, "must not have a query, because it is an issuer"));
    }
    Ok(url)
}

/// Reads the `jwks_uri` of the metadata of this issuer. Metadata that came over `https` must not lead to plain HTTP, also not on
/// this machine.
pub(crate) fn jwks_uri(text: &str, issuer: &Url) -> Result<Url, Error> {
    let url = key_set(text)?;
    if issuer.scheme() == "https" && url.scheme() != "https" {
        return Err(refused(text, "is the jwks_uri of an https issuer and must begin with https"));
    }
    Ok(url)
}

/// Returns the addresses at which the metadata of an issuer may be: that of OpenID Connect
/// ([Discovery section 4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)), then that of OAuth
/// ([RFC 8414 section 3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).
pub(crate) fn metadata(issuer: &Url) -> [Url; 2] {
    let path = issuer.path().strip_suffix('/').unwrap_or(issuer.path());
    [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
    ]
    .map(|path| {
        let mut url = issuer.clone();
        url.set_path(&path);
        url
    })
}

fn read(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text).map_err(|_| refused(text, "is not a URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        // Not with its text, because that holds a secret.
        return Err(refused("", "must not hold a user name or a password"));
    }
    if url.fragment().is_some() {
        return Err(refused(text, "must not have a fragment"));
    }
    Ok(url)
}

fn is_allowed(url: &Url) -> bool {
    let is_local = match url.host() {
        None => return false,
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_local)
}

fn refused(text: &str, problem: &'static str) -> Error {
    // A metadata document chooses its length.
    Error::Address { address: text.chars().take(200).collect(), problem }
}
