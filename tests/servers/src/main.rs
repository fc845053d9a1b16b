//! Makes a key and tokens for a server, in the forms that the server demands. Run by `./run`.
//!
//! `SERVER ALGORITHM FOLDER [ARGUMENT]` fills the folder. The first token, `good.jwt`, is made by the recipe of the manual page. All
//! others differ from it in one thing, which their name tells. The argument is for recipes that take one.

mod recipes;
#[cfg(test)]
mod tests;
mod variants;

use core::error::Error;
use countersign::{Algorithm, Claims, HmacKey, PrivateKey, PublicKey, SecretBytes, SignKey};
use serde::Serialize;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["certificate", algorithm, folder] => write_with_certificate(algorithm, Path::new(folder)),
        [server, algorithm, folder] => write(server, algorithm, Path::new(folder), ""),
        [server, algorithm, folder, argument] => write(server, algorithm, Path::new(folder), argument),
        _ => Err("start it with ./run".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("servers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(server: &str, algorithm: &str, folder: &Path, argument: &str) -> Fallible<()> {
    let algorithm: Algorithm = algorithm.parse()?;
    let [ours, others] = [Material::generate(algorithm)?, Material::generate(algorithm)?];
    let key_id = match (server, &ours) {
        ("registry", Material::Pair(_, public)) => recipes::registry_key_id(public)?,
        _ => "k1".to_owned(),
    };
    let signer = Signer { ours, others, algorithm, key_id };
    signer.write_keys(folder)?;
    match server {
        "haproxy" => signer.write_tokens(folder, &recipes::haproxy("u1")),
        "dovecot" => signer.write_tokens(folder, &recipes::dovecot("u1@mail.example")),
        "rabbitmq" => signer.write_tokens(folder, &recipes::rabbitmq("u1")),
        "ejabberd" => signer.write_tokens(folder, &recipes::ejabberd("u1@chat.example")),
        "slurm" => signer.write_tokens(folder, &recipes::slurm("daemon")),
        "apache" => signer.write_tokens(folder, &recipes::apache("u1")),
        "registry" => signer.write_tokens(folder, &recipes::registry("app")),
        "influxdb" => signer.write_tokens(folder, &recipes::influxdb("u1")),
        "synapse" => signer.write_tokens(folder, &recipes::synapse("u1")),
        "etcd" => signer.write_tokens(folder, &recipes::etcd("root", argument.parse()?)),
        _ => Err("no server has this name".into()),
    }
}

/// Writes tokens for a registry that have no `kid`, and the certificate of the folder in their header.
fn write_with_certificate(algorithm: &str, folder: &Path) -> Fallible<()> {
    let algorithm: Algorithm = algorithm.parse()?;
    let key =
        PrivateKey::from_pem(&fs::read_to_string(folder.join("private.pem"))?)?.signing_key(algorithm)?;
    let stranger = Material::generate(algorithm)?.key(algorithm, None)?;
    let certified = |file| {
        Fallible::Ok(recipes::with_certificate(
            recipes::registry("app"),
            &fs::read_to_string(folder.join(file))?,
        )?)
    };
    let claims = certified("certificate.pem")?;
    fs::write(folder.join("certificate.jwt"), claims.sign(&key)?)?;
    fs::write(folder.join("certificate-other-key.jwt"), claims.sign(&*stranger)?)?;
    // Signed with the key of this certificate, but the registry does not trust it.
    let key = PrivateKey::from_pem(&fs::read_to_string(folder.join("other.pem"))?)?.signing_key(algorithm)?;
    fs::write(folder.join("other-certificate.jwt"), certified("other-certificate.pem")?.sign(&key)?)?;
    Ok(())
}

/// What keys are made of.
enum Material {
    /// A text, because some servers read the secret from a line of their configuration.
    Secret(String),
    Pair(PrivateKey, PublicKey),
}

impl Material {
    fn generate(algorithm: Algorithm) -> Fallible<Self> {
        let private = match algorithm {
            Algorithm::Hs256 => {
                let bytes = SecretBytes::generate(32)?;
                return Ok(Self::Secret(data_encoding::HEXLOWER.encode(bytes.expose_secret())));
            }
            Algorithm::Rs256 => PrivateKey::generate_rsa(2048)?,
            _ => PrivateKey::generate(algorithm)?,
        };
        let public = private.public_key()?;
        Ok(Self::Pair(private, public))
    }

    fn key(&self, algorithm: Algorithm, key_id: Option<&str>) -> Fallible<Box<dyn SignKey>> {
        Ok(match self {
            Self::Secret(text) => {
                let key = HmacKey::new(algorithm, &SecretBytes::from_bytes(text))?;
                Box::new(key_id.map_or_else(|| Ok(key.clone()), |id| key.clone().with_key_id(id))?)
            }
            Self::Pair(private, _) => {
                let key = private.signing_key(algorithm)?;
                Box::new(key_id.map_or_else(|| Ok(key.clone()), |id| key.clone().with_key_id(id))?)
            }
        })
    }
}

/// The key of the tokens, and one that the server does not have.
struct Signer {
    ours: Material,
    others: Material,
    algorithm: Algorithm,
    key_id: String,
}

impl Signer {
    fn key(&self, material: &Material, key_id: Option<&str>) -> Fallible<Box<dyn SignKey>> {
        material.key(self.algorithm, key_id)
    }

    /// Writes the key in all forms that one of the servers reads.
    fn write_keys(&self, folder: &Path) -> Fallible<()> {
        match &self.ours {
            Material::Secret(text) => {
                fs::write(folder.join("secret"), text)?;
                fs::write(folder.join("secret.base64"), data_encoding::BASE64.encode(text.as_bytes()))?;
                let secret = SecretBytes::from_bytes(text);
                let key = HmacKey::new(self.algorithm, &secret)?.with_key_id(&*self.key_id)?;
                fs::write(folder.join("key.jwk"), secret.to_private_jwk_for(&key)?.expose_secret())?;
            }
            Material::Pair(private, public) => {
                fs::write(folder.join("private.pem"), private.to_secret_pem()?.expose_secret())?;
                if let Material::Pair(private, _) = &self.others {
                    fs::write(folder.join("other.pem"), private.to_secret_pem()?.expose_secret())?;
                }
                let key = public.verifying_key(self.algorithm)?.with_key_id(&*self.key_id)?;
                let texts = recipes::public_files(public, &key)?;
                for (name, text) in ["public.pem", "key.jwk", "keys.jwks"].iter().zip(texts) {
                    fs::write(folder.join(name), text)?;
                }
            }
        }
        Ok(())
    }

    fn write_tokens<T: Serialize>(&self, folder: &Path, claims: &Claims<T>) -> Fallible<()> {
        let good = claims.sign(&*self.key(&self.ours, Some(&self.key_id))?)?;
        fs::write(folder.join("good.jwt"), &good)?;
        for (name, token) in variants::of(self, &good)? {
            fs::write(folder.join(format!("{name}.jwt")), token)?;
        }
        Ok(())
    }
}
