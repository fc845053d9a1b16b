//! The recipes of `src/manual/servers.md`. `tests` checks that the page shows this code.

use core::time::Duration;
use countersign::{Claims, KeyError, KeySet, PublicKey, SignError, VerifyingKey};
use data_encoding::BASE32_NOPAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

pub(crate) fn public_files(public: &PublicKey, key: &VerifyingKey) -> Result<[String; 3], KeyError> {
    let mut keys = KeySet::new();
    keys.insert(key.clone())?;
    Ok([public.to_pem()?, key.to_jwk()?, keys.to_jwks()?])
}

pub(crate) fn haproxy(user: &str) -> Claims {
    Claims::registered()
        .issuer("https://auth.example")
        .subject(user)
        .audience("https://api.example")
        .expires_in(Duration::from_secs(15 * 60))
}

#[derive(Serialize)]
pub(crate) struct Mailbox<'a> {
    email: &'a str,
}

pub(crate) fn dovecot(email: &str) -> Claims<Mailbox<'_>> {
    Claims::new(Mailbox { email })
        .issuer("https://auth.example")
        .subject(email)
        .expires_in(Duration::from_secs(15 * 60))
}

#[derive(Serialize)]
pub(crate) struct Scope<'a> {
    scope: &'a str,
}

pub(crate) fn rabbitmq(user: &str) -> Claims<Scope<'_>> {
    Claims::new(Scope { scope: "rabbitmq.configure:*/* rabbitmq.write:*/* rabbitmq.read:*/*" })
        .subject(user)
        .audience("rabbitmq")
        .expires_in(Duration::from_secs(15 * 60))
}

#[derive(Serialize)]
pub(crate) struct Jabber<'a> {
    jid: &'a str,
}

pub(crate) fn ejabberd(jid: &str) -> Claims<Jabber<'_>> {
    Claims::new(Jabber { jid }).expires_in(Duration::from_secs(15 * 60))
}

#[derive(Serialize)]
pub(crate) struct SlurmUser<'a> {
    sun: &'a str,
}

pub(crate) fn slurm(user: &str) -> Claims<SlurmUser<'_>> {
    Claims::new(SlurmUser { sun: user }).expires_in(Duration::from_secs(15 * 60))
}

pub(crate) fn apache(user: &str) -> Claims {
    Claims::registered()
        .issuer("https://auth.example")
        .subject(user)
        .audience("https://api.example")
        .expires_in(Duration::from_secs(15 * 60))
}

#[derive(Serialize)]
pub(crate) struct RegistryToken<'a> {
    access: [RegistryAccess<'a>; 1],
}

#[derive(Serialize)]
pub(crate) struct RegistryAccess<'a> {
    r#type: &'a str,
    name: &'a str,
    actions: &'a [&'a str],
}

pub(crate) fn registry(repository: &str) -> Claims<RegistryToken<'_>> {
    let access = [RegistryAccess { r#type: "repository", name: repository, actions: &["pull", "push"] }];
    Claims::new(RegistryToken { access })
        .issuer("https://auth.example")
        .audience("registry.example")
        .expires_in(Duration::from_secs(5 * 60))
}

pub(crate) fn registry_key_id(key: &PublicKey) -> Result<String, KeyError> {
    let hash = Sha256::digest(key.to_der()?);
    // 240 bits, as 12 groups of 4 characters.
    let groups: Vec<_> = hash[..30].chunks(5).map(|bytes| BASE32_NOPAD.encode(bytes)).collect();
    Ok(groups.iter().map(|group| format!("{}:{}", &group[..4], &group[4..])).collect::<Vec<_>>().join(":"))
}

pub(crate) fn with_certificate<T>(claims: Claims<T>, pem: &str) -> Result<Claims<T>, SignError> {
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    claims.header_parameter("x5c", &[base64])
}

#[derive(Serialize)]
pub(crate) struct InfluxUser<'a> {
    username: &'a str,
}

pub(crate) fn influxdb(username: &str) -> Claims<InfluxUser<'_>> {
    Claims::new(InfluxUser { username }).expires_in(Duration::from_secs(15 * 60))
}

#[derive(Serialize)]
pub(crate) struct EtcdUser<'a> {
    username: &'a str,
    revision: u64,
}

pub(crate) fn etcd(username: &str, revision: u64) -> Claims<EtcdUser<'_>> {
    Claims::new(EtcdUser { username, revision }).expires_in(Duration::from_secs(15 * 60))
}

pub(crate) fn synapse(user: &str) -> Claims {
    Claims::registered()
        .issuer("https://auth.example")
        .subject(user)
        .audience("https://chat.example")
        .expires_in(Duration::from_secs(5 * 60))
}
