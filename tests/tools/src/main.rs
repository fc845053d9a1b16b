//! Reads the key files that other tools have made, and makes key files for these tools. Run by `./run`.
//!
//! - `read FOLDER` prints a line for each file: its folder, its name, its content, and `read` or the code of the error.
//!   Each private key that is read signs, and each public key of the same folder must verify that.
//! - `write FOLDER ALGORITHM...` makes a key for each algorithm, and the message that the tools sign.
//! - `verify FOLDER ALGORITHM...` verifies the signature that a tool has made with each of these keys.
//!
//! The folder of a key is named for its algorithm. What follows a `.` in the name distinguishes several keys.

use core::error::Error;
use countersign::jwk::Jwk;
use countersign::{
    Algorithm, KeyError, PrivateKey, PublicKey, SignKey, Signature, SigningKey, VerifyKey, VerifyingKey,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

type Fallible<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["read", folder] => read(Path::new(folder)),
        ["write", folder, ref algorithms @ ..] => write(Path::new(folder), algorithms),
        ["verify", folder, ref algorithms @ ..] => verify(Path::new(folder), algorithms),
        _ => Err("start it with ./run".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tools: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(folder: &Path) -> Fallible<()> {
    for key in sorted(folder)? {
        let name = name_of(&key);
        let algorithm: Algorithm = name.split('.').next().unwrap_or_default().parse()?;
        let (mut signing, mut verifying) = (Vec::new(), Vec::new());
        for file in sorted(&key)? {
            let bytes = fs::read(&file)?;
            let verdict = if name_of(&file).starts_with("private.") {
                let key = private(&file, &bytes, algorithm);
                key.map(|key| signing.push((file.clone(), key)))
            } else {
                let key = public(&file, &bytes, algorithm);
                key.map(|key| verifying.push((file.clone(), key)))
            };
            let verdict = verdict.map_or_else(|refusal| refusal, |()| "read");
            println!("{name} {} {} {verdict}", name_of(&file), content(&bytes));
        }
        for (private, signing) in &signing {
            let signature = signing.sign_bytes(MESSAGE)?;
            // A private file has its own public half, too.
            signing.verifying_key().verify_bytes(MESSAGE, signature.as_bytes())?;
            for (public, verifying) in &verifying {
                let verified = verifying.verify_bytes(MESSAGE, signature.as_bytes());
                verified.map_err(|_| {
                    format!("{} does not verify what {} signs", public.display(), private.display())
                })?;
            }
        }
    }
    Ok(())
}

fn write(folder: &Path, algorithms: &[&str]) -> Fallible<()> {
    fs::write(folder.join("message"), MESSAGE)?;
    for name in algorithms {
        let algorithm = name.parse()?;
        let private = match algorithm {
            Algorithm::Rs256 => PrivateKey::generate_rsa(2048)?,
            _ => PrivateKey::generate(algorithm)?,
        };
        let public = private.public_key()?;
        let folder = folder.join(name);
        fs::create_dir(&folder)?;
        fs::write(folder.join("private.pem"), private.to_secret_pem()?.expose_secret())?;
        fs::write(folder.join("public.pem"), public.to_pem()?)?;
        fs::write(folder.join("public.der"), public.to_der()?)?;
    }
    Ok(())
}

fn verify(folder: &Path, algorithms: &[&str]) -> Fallible<()> {
    for name in algorithms {
        let algorithm: Algorithm = name.parse()?;
        let folder = folder.join(name);
        let key = PublicKey::from_pem(&fs::read_to_string(folder.join("public.pem"))?)?;
        let bytes = fs::read(folder.join("signature"))?;
        let signature = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 | Algorithm::Es256k => {
                Signature::from_ecdsa_der(algorithm, &bytes)?
            }
            _ => Signature::from_bytes(&bytes),
        };
        let verified = key.verifying_key(algorithm)?.verify_bytes(MESSAGE, signature.as_bytes());
        verified.map_err(|_| format!("the signature of {name} is wrong"))?;
    }
    Ok(())
}

const MESSAGE: &[u8] = b"signed with a key from a file";

/// Why a file makes no key: the code of the error, or that a PEM text is not text.
type Refusal = &'static str;

fn private(file: &Path, bytes: &[u8], algorithm: Algorithm) -> Result<SigningKey, Refusal> {
    let key = match extension(file) {
        "jwk" => Jwk::parse(text(bytes)?).and_then(|key| key.signing_key(algorithm)),
        "der" => PrivateKey::from_der(bytes).and_then(|key| key.signing_key(algorithm)),
        _ => PrivateKey::from_pem(text(bytes)?).and_then(|key| key.signing_key(algorithm)),
    };
    key.map_err(code)
}

fn public(file: &Path, bytes: &[u8], algorithm: Algorithm) -> Result<VerifyingKey, Refusal> {
    let key = match extension(file) {
        "jwk" => Jwk::parse(text(bytes)?).and_then(|key| key.verifying_key(algorithm)),
        "der" => PublicKey::from_der(bytes).and_then(|key| key.verifying_key(algorithm)),
        _ => PublicKey::from_pem(text(bytes)?).and_then(|key| key.verifying_key(algorithm)),
    };
    key.map_err(code)
}

fn text(bytes: &[u8]) -> Result<&str, Refusal> {
    str::from_utf8(bytes).map_err(|_| "not_text")
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn code(error: KeyError) -> Refusal {
    error.code()
}

/// Describes a file by its PEM labels, with `_` for a blank; else by its first bytes.
fn content(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let labels: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("-----BEGIN ")?.trim_end().strip_suffix("-----"))
        .map(|label| label.replace(' ', "_"))
        .collect();
    match bytes {
        _ if !labels.is_empty() => labels.join("+"),
        [0x30, ..] => "DER".to_owned(),
        [b'{', ..] => "JWK".to_owned(),
        _ => "text".to_owned(),
    }
}

fn sorted(folder: &Path) -> Fallible<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths = entries.collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}
