//! Has other libraries sign what is verified here with each algorithm, and verify what is signed here.
//!
//! The peers are programs that answer a line of JSON with a line of JSON. Run by `./run`.

use core::error::Error;
use core::fmt::Display;
use countersign::{
    Algorithm, Claims, HmacKey, Key, KeyRef, KeySet, PrivateKey, PublicKey, SecretBytes, SignKey, Token,
    UnixTime, Verifier,
};
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::thread;

type Fallible<T> = Result<T, Box<dyn Error>>;

const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "https://api.example";

fn main() -> ExitCode {
    match run() {
        Ok(differences) if differences.is_empty() => ExitCode::SUCCESS,
        Ok(differences) => {
            for difference in differences.iter().take(20) {
                eprintln!("{difference}");
            }
            eprintln!("{} differences", differences.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("interop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Fallible<Vec<String>> {
    // Pairs of an interpreter and a program. The first program makes keys, too.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let start = |pair: &[String]| match pair {
        [interpreter, program] => Peer::start(interpreter, program),
        _ => Err("start it with ./run".into()),
    };
    let mut peers = arguments.chunks(2).map(start).collect::<Fallible<Vec<_>>>()?;
    let keys = Keys::new(peers.first_mut().ok_or("start it with ./run")?)?;
    let all = cases();
    let some: Vec<Case> = all.iter().step_by(8).cloned().collect();

    // Each library has a thread, because all of them compute on one core.
    thread::scope(|scope| {
        let exchanges: Vec<_> = peers
            .iter_mut()
            .map(|peer| scope.spawn(|| exchange(peer, &keys, &all, &some).map_err(|error| error.to_string())))
            .collect();
        let mut differences = Vec::new();
        for exchange in exchanges {
            differences.extend(exchange.join().map_err(|_| "an exchange has panicked")??);
        }
        Ok(differences)
    })
}

/// Exchanges tokens of each algorithm with one library, and returns the differences.
fn exchange(peer: &mut Peer, keys: &Keys, all: &[Case], some: &[Case]) -> Fallible<Vec<String>> {
    let mut differences = Vec::new();
    for pairs in &keys.of_each_algorithm {
        let algorithm = pairs[0].algorithm;
        if !peer.algorithms.iter().any(|name| name == algorithm.name()) {
            println!("{} {algorithm}: not offered there", peer.about);
            continue;
        }
        // The claims do not depend on the algorithm.
        let cases = if algorithm == Algorithm::Hs256 { all } else { some };
        let mut bench = Bench { peer, pairs, keys, differences: &mut differences };
        bench.run(cases)?;
    }
    Ok(differences)
}

/// Another library, in a process of its own.
struct Peer {
    about: String,
    algorithms: Vec<String>,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(interpreter: &str, program: &str) -> Fallible<Self> {
        let mut child = Command::new(interpreter)
            .arg(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{interpreter}: {error}"))?;
        let input = child.stdin.take().ok_or("no input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut peer = Self { about: program.into(), algorithms: Vec::new(), child, input, output };
        let about = peer.ask(&json!({ "op": "about" }))?;
        peer.about = format!("{} {}", text(&about, "name")?, text(&about, "version")?);
        let algorithms = about["algorithms"].as_array().ok_or("no algorithms")?;
        peer.algorithms = algorithms.iter().filter_map(Value::as_str).map(String::from).collect();
        Ok(peer)
    }

    fn ask(&mut self, request: &Value) -> Fallible<Value> {
        // Node 24 ends a line at these two characters, too.
        let line = request.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
        writeln!(self.input, "{line}")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        serde_json::from_str(&line).map_err(|_| format!("{} ended at {request}", self.about).into())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn text<'a>(answer: &'a Value, name: &str) -> Fallible<&'a str> {
    answer[name].as_str().ok_or_else(|| format!("no {name} in {answer}").into())
}

/// One key, on both sides, without and with a name.
struct Pair {
    algorithm: Algorithm,
    key_id: String,
    signer: [Box<dyn SignKey>; 2],
    verifier: Verifier,
    /// What the other side signs and verifies with: PEM, or a secret in hex.
    private: String,
    public: String,
}

struct Keys {
    of_each_algorithm: Vec<Vec<Pair>>,
    /// Knows all keys by their names.
    by_name: Verifier,
}

/// The private and the public half, as text.
type Files = (String, String);

const RSA: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];
const OTHERS: [Algorithm; 8] = [
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Es256k,
    Algorithm::Ed25519,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
    Algorithm::MlDsa87,
];

impl Keys {
    fn new(maker: &mut Peer) -> Fallible<Self> {
        let mut set = KeySet::new();
        let mut of_each_algorithm = Vec::new();
        for (algorithm, lengths) in [
            (Algorithm::Hs256, [32, 64, 100]),
            (Algorithm::Hs384, [48, 128, 200]),
            (Algorithm::Hs512, [64, 128, 200]),
        ] {
            of_each_algorithm.push(secrets(algorithm, lengths, &mut set)?);
        }
        let rsa = files(Algorithm::Rs256, maker)?;
        for algorithm in RSA {
            of_each_algorithm.push(pairs(algorithm, &rsa, &mut set)?);
        }
        for algorithm in OTHERS {
            of_each_algorithm.push(pairs(algorithm, &files(algorithm, maker)?, &mut set)?);
        }
        Ok(Self { of_each_algorithm, by_name: verifier(set)? })
    }
}

/// The shortest secret, the longest that HMAC takes as it is, and one that it hashes first.
fn secrets(algorithm: Algorithm, lengths: [usize; 3], set: &mut KeySet) -> Fallible<Vec<Pair>> {
    let mut pairs = Vec::new();
    // The names are ASCII: how a header spells others is not the same in all libraries.
    for (length, name) in
        lengths.into_iter().zip(["hs", "the \"64\" \\ {key}", "https://auth.example/keys/100"])
    {
        let secret = SecretBytes::generate(length)?;
        let key = HmacKey::new(algorithm, &secret)?;
        let hex: String = secret.expose_secret().iter().map(|byte| format!("{byte:02x}")).collect();
        let named = key.clone().with_key_id(name)?;
        set.insert(named.clone())?;
        pairs.push(Pair::new([Box::new(key.clone()), Box::new(named)], key, hex.clone(), hex)?);
    }
    Ok(pairs)
}

/// Two pairs of files from the other library, in both of its forms, and one pair of ours.
fn files(algorithm: Algorithm, maker: &mut Peer) -> Fallible<[(&'static str, Files); 3]> {
    let request = json!({ "op": "make_key", "alg": algorithm.name() });
    let [one, other] = [maker.ask(&request)?, maker.ask(&request)?];
    let of = |made: &Value, private, public| {
        Ok::<Files, Box<dyn Error>>((text(made, private)?.into(), text(made, public)?.into()))
    };
    let ours = PrivateKey::generate(algorithm)?;
    let private = ours.to_secret_pem()?;
    Ok([
        ("pkcs8", of(&one, "pkcs8", "spki")?),
        ("older", of(&other, "older", "older_public")?),
        ("ours", (str::from_utf8(private.expose_secret())?.into(), ours.public_key()?.to_pem()?)),
    ])
}

fn pairs(algorithm: Algorithm, files: &[(&str, Files)], set: &mut KeySet) -> Fallible<Vec<Pair>> {
    let mut pairs = Vec::new();
    for (name, (private, public)) in files {
        let key = PrivateKey::from_pem(private)?.signing_key(algorithm)?;
        let verifying = PublicKey::from_pem(public)?.verifying_key(algorithm)?;
        let named = key.clone().with_key_id(*name)?;
        set.insert(verifying.clone().with_key_id(*name)?)?;
        let signers: [Box<dyn SignKey>; 2] = [Box::new(key), Box::new(named)];
        pairs.push(Pair::new(signers, verifying, private.clone(), public.clone())?);
    }
    Ok(pairs)
}

impl Pair {
    fn new(
        signer: [Box<dyn SignKey>; 2],
        verifying: impl Into<KeyRef<'static>>,
        private: String,
        public: String,
    ) -> Fallible<Self> {
        let verifying = verifying.into();
        let algorithm = verifying.algorithm();
        let key_id = signer[1].identity().key_id().unwrap_or_default().into();
        Ok(Self { algorithm, key_id, signer, verifier: verifier(verifying)?, private, public })
    }
}

fn verifier(keys: impl Into<countersign::Keys>) -> Fallible<Verifier> {
    Ok(Verifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build()?)
}

/// The claims of one token.
#[derive(Clone)]
struct Case {
    now: i64,
    exp: Value,
    aud: Value,
    private: Map<String, Value>,
}

impl Case {
    fn new(private: Value) -> Self {
        let Value::Object(private) = private else { unreachable!("cases are objects") };
        let now = UnixTime::now().as_secs();
        Self { now, exp: json!(now + 3600), aud: json!(AUDIENCE), private }
    }

    fn claims(&self) -> Map<String, Value> {
        let mut claims = self.private.clone();
        claims.insert("iss".into(), json!(ISSUER));
        claims.insert("sub".into(), json!("user123"));
        claims.insert("aud".into(), self.aud.clone());
        claims.insert("exp".into(), self.exp.clone());
        claims.insert("nbf".into(), json!(self.now - 600));
        claims.insert("iat".into(), json!(self.now - 600));
        claims.insert("jti".into(), json!("f6a7d2"));
        claims
    }
}

fn cases() -> Vec<Case> {
    let mut deep = json!("bottom");
    for level in 0..40 {
        deep = if level % 2 == 0 { json!([deep]) } else { json!({ "down": deep }) };
    }
    let contents = [
        json!({}),
        json!({ "name": "Zo\u{eb} \u{65e5}\u{672c}\u{8a9e} \u{1f980} e\u{301}", "\u{43a}\u{43b}\u{44e}\u{447} \u{1f511}": "" }),
        json!({ "escapes": "\u{0}\u{1f}\t\n\r\"\\/\u{7f}\u{2028}\u{2029}\u{feff}", "a\"b\\c\n": 1 }),
        json!({ "user": { "name": { "first": "Ann" }, "roles": ["admin", { "of": [1, [2, []]] }] }, "e": {} }),
        json!({ "deep": deep }),
        json!({ "n": [0, -1, 9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64, 2_147_483_648_u32] }),
        json!({ "n": [0.5, -0.25, 0.1, 1e-7, 12345.678, 1e21], "f": 1.5 }),
        json!({ "t": true, "f": false, "null": null, "list": [null, true] }),
        json!({ "": "no name", "EXP": 1, "Exp": "1" }),
        json!({ "https://claims.example/role": "admin", "scope": "read write" }),
    ];
    let mut cases = Vec::new();
    for content in contents {
        let case = Case::new(content);
        let many = json!(["https://web.example", AUDIENCE, "\u{fc}", "https://x.example"]);
        for aud in [json!(AUDIENCE), json!([AUDIENCE]), many] {
            cases.push(Case { aud, ..case.clone() });
        }
    }
    let plain = Case::new(json!({}));
    cases.push(Case { exp: json!(plain.now as f64 + 3600.5), ..plain });
    for length in 0..=200_u8 {
        let letters: String = (0..length).map(|place| char::from(b'a' + place % 26)).collect();
        cases.push(Case::new(json!({ "text": letters })));
    }
    cases
}

/// One library and one algorithm.
struct Bench<'a> {
    peer: &'a mut Peer,
    pairs: &'a [Pair],
    keys: &'a Keys,
    differences: &'a mut Vec<String>,
}

#[derive(Default)]
struct Counts {
    verified_here: usize,
    verified_there: usize,
    refused_here: usize,
    refused_there: usize,
}

impl Bench<'_> {
    fn run(&mut self, cases: &[Case]) -> Fallible<()> {
        let mut counts = Counts::default();
        for (place, case) in cases.iter().enumerate() {
            let pair = &self.pairs[place % self.pairs.len()];
            for named in [false, true] {
                let claims = case.claims();
                let theirs = self.sign_there(pair, named, &claims)?;
                counts.verified_here += self.verify_here(pair, named, &theirs, &claims);
                let ours = sign_here(pair, named, case, place)?;
                counts.verified_there += self.verify_there(pair, named, &ours, &claims)?;
                for (kind, code, token) in tampered(&theirs) {
                    counts.refused_here += self.refuse_here(pair, kind, code, &token);
                }
                for (kind, _, token) in tampered(&ours) {
                    counts.refused_there += self.refuse_there(pair, kind, &token)?;
                }
            }
        }
        self.refuse_the_unfit(&mut counts)?;
        let name = format!("{} {}", self.peer.about, self.pairs[0].algorithm);
        println!(
            "{name}: verified {} here and {} there; refused {} spoilt here and {} there",
            counts.verified_here, counts.verified_there, counts.refused_here, counts.refused_there
        );
        Ok(())
    }

    /// Genuine tokens that are late, for others, from others, or under another key.
    fn refuse_the_unfit(&mut self, counts: &mut Counts) -> Fallible<()> {
        let case = Case::new(json!({}));
        let with = |name: &str, value: Value| {
            let mut claims = case.claims();
            claims.insert(name.into(), value);
            claims
        };
        for (place, pair) in self.pairs.iter().enumerate() {
            let other = &self.pairs[(place + 1) % self.pairs.len()];
            for (kind, code, signer, claims) in [
                ("expired", "expired", pair, with("exp", json!(case.now - 60))),
                ("not yet valid", "not_yet_valid", pair, with("nbf", json!(case.now + 600))),
                ("for another audience", "wrong_audience", pair, with("aud", json!(["x", "y"]))),
                ("of another issuer", "wrong_issuer", pair, with("iss", json!("https://evil.example"))),
                ("under another key", "invalid_signature", other, case.claims()),
            ] {
                let theirs = self.sign_there(signer, false, &claims)?;
                counts.refused_here += self.refuse_here(pair, kind, code, &theirs);
                let ours = Claims::new(claims).sign(&signer.signer[0])?;
                counts.refused_there += self.refuse_there(pair, kind, &ours)?;
            }
        }
        Ok(())
    }

    fn sign_there(&mut self, pair: &Pair, named: bool, claims: &Map<String, Value>) -> Fallible<String> {
        let mut request =
            json!({ "op": "sign", "alg": pair.algorithm.name(), "key": pair.private, "claims": claims });
        if named {
            request["kid"] = json!(pair.key_id);
        }
        text(&self.peer.ask(&request)?, "token").map(String::from)
    }

    fn verify_here(&mut self, pair: &Pair, named: bool, token: &str, claims: &Map<String, Value>) -> usize {
        let verifier = if named { &self.keys.by_name } else { &pair.verifier };
        match verifier.verify::<Map<String, Value>>(token) {
            Ok(read) if is_the_same(pair, named, &read, claims) => 1,
            Ok(read) => self.differ("read otherwise here", pair, token, read.payload()),
            Err(error) => self.differ("refused here", pair, token, error),
        }
    }

    fn verify_there(
        &mut self,
        pair: &Pair,
        named: bool,
        token: &str,
        claims: &Map<String, Value>,
    ) -> Fallible<usize> {
        let answer = self.ask_to_verify(pair, token)?;
        let header = json!({ "alg": pair.algorithm.name(), "typ": "JWT" });
        let mut named_header = header.clone();
        named_header["kid"] = json!(pair.key_id);
        let right_header = answer["header"] == if named { named_header } else { header };
        if right_header && answer["claims"].as_object() == Some(claims) {
            return Ok(1);
        }
        Ok(self.differ("refused or read otherwise there", pair, token, answer))
    }

    fn refuse_here(&mut self, pair: &Pair, kind: &str, code: &str, token: &str) -> usize {
        match pair.verifier.verify::<()>(token).map_err(|error| error.code()) {
            Err(found) if found == code => 1,
            Err(found) => self.differ(&format!("{kind}: another error here"), pair, token, found),
            Ok(_) => self.differ(&format!("{kind}: verified here"), pair, token, ""),
        }
    }

    fn refuse_there(&mut self, pair: &Pair, kind: &str, token: &str) -> Fallible<usize> {
        let answer = self.ask_to_verify(pair, token)?;
        if answer["refused"].is_string() {
            return Ok(1);
        }
        Ok(self.differ(&format!("{kind}: verified there"), pair, token, answer))
    }

    fn ask_to_verify(&mut self, pair: &Pair, token: &str) -> Fallible<Value> {
        self.peer.ask(&json!({
            "op": "verify",
            "alg": pair.algorithm.name(),
            "key": pair.public,
            "token": token,
            "issuer": ISSUER,
            "audience": AUDIENCE,
        }))
    }

    fn differ(&mut self, what: &str, pair: &Pair, token: &str, detail: impl Display) -> usize {
        let key = &pair.key_id;
        self.differences.push(format!("{}, key {key}: {what}: {detail}\n    {token}", self.peer.about));
        0
    }
}

fn is_the_same(
    pair: &Pair,
    named: bool,
    read: &Token<Map<String, Value>>,
    claims: &Map<String, Value>,
) -> bool {
    let header = read.header();
    let audience: Vec<&str> = match &claims["aud"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect(),
    };
    read.claims() == claims
        && header.algorithm() == pair.algorithm
        && header.typ() == Some("JWT")
        && header.key_id() == named.then_some(pair.key_id.as_str())
        && read.issuer() == claims["iss"].as_str()
        && read.subject() == claims["sub"].as_str()
        && read.jwt_id() == claims["jti"].as_str()
        && read.audience().eq(audience)
        && read.issued_at().map(UnixTime::as_secs) == claims["iat"].as_i64()
        && read.not_before().map(UnixTime::as_secs) == claims["nbf"].as_i64()
        && read.expires_at().map(|exp| exp.as_secs() as f64) == claims["exp"].as_f64().map(f64::ceil)
}

/// Registered claims go through the builder, or stand among the rest, by turns.
fn sign_here(pair: &Pair, named: bool, case: &Case, place: usize) -> Fallible<String> {
    let key = &pair.signer[usize::from(named)];
    let (Value::String(audience), Some(exp), true) = (&case.aud, case.exp.as_i64(), place.is_multiple_of(2))
    else {
        return Ok(Claims::new(case.claims()).sign(key)?);
    };
    let begin = UnixTime::from_secs(case.now - 600);
    let claims = Claims::new(case.private.clone())
        .issuer(ISSUER)
        .subject("user123")
        .audience(audience)
        .expires_at(UnixTime::from_secs(exp))
        .not_before(begin)
        .issued_at(begin)
        .jwt_id("f6a7d2");
    Ok(claims.sign(key)?)
}

/// The same token with one thing spoilt, and the code that it is refused with here.
fn tampered(token: &str) -> Vec<(&'static str, &'static str, String)> {
    let [header, payload, signature] = token.split('.').collect::<Vec<_>>()[..] else { return Vec::new() };
    const NONE: &str = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0"; // {"alg":"none","typ":"JWT"}
    let changed = |segment: &str| {
        let middle = segment.len() / 2;
        let other = if &segment[middle..=middle] == "A" { "B" } else { "A" };
        [&segment[..middle], other, &segment[middle + 1..]].concat()
    };
    // Whole groups of four, so that it stays canonical base64url.
    let cut = &signature[..signature.len() / 4 * 4 - 4];
    vec![
        ("a changed payload", "invalid_signature", [header, &changed(payload), signature].join(".")),
        ("a changed signature", "invalid_signature", [header, payload, &changed(signature)].join(".")),
        ("a cut signature", "invalid_signature", [header, payload, cut].join(".")),
        ("no signature", "invalid_signature", [header, payload, ""].join(".")),
        ("alg none", "unsupported_algorithm", [NONE, payload, ""].join(".")),
    ]
}
