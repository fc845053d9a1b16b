//! What `countersign` sets out to reach, as ratios of medians within one run.

use crate::results::Results;
use crate::roster::{
    BACKENDS, Backend, Cryptography, Entry, FLOOR, FLOOR_AWS_LC, JSONWEBTOKEN_AWS_LC, JSONWEBTOKEN_RUST,
    JWTK, OURS, OURS_AWS_LC, OURS_GRAVIOLA,
};
use compare_common::Algorithm;
use compare_common::claims::Size;
use compare_common::keys::RSA;
use compare_common::tokens;

/// What ratios of one run can be trusted to.
const NOISE: f64 = 1.03;

/// The most that the work around a raw operation may cost, as a ratio to [`Results::floor_of`].
pub(crate) const OVERHEAD: f64 = 1.05;

pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) limit: Limit,
    /// `None` where one of the two was not measured.
    pub(crate) measured: Option<f64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Ratio(f64),
    /// A ratio that is also met above the limit, up to the noise of a run.
    RatioAndNoise(f64),
    Allocations(f64),
}

impl Target {
    pub(crate) fn is_met(&self) -> Option<bool> {
        self.measured.map(|measured| match self.limit {
            Limit::RatioAndNoise(limit) => measured <= limit * NOISE,
            Limit::Ratio(limit) | Limit::Allocations(limit) => measured <= limit,
        })
    }

    /// The same without the noise.
    fn exact(self) -> Self {
        match self.limit {
            Limit::RatioAndNoise(limit) => Self { limit: Limit::Ratio(limit), ..self },
            _ => self,
        }
    }
}

/// Verifying or signing with one algorithm.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Verify,
    Sign,
}

impl Direction {
    pub(crate) const BOTH: [Self; 2] = [Self::Verify, Self::Sign];

    pub(crate) fn operation(self, algorithm: Algorithm) -> &'static str {
        match self {
            Self::Verify => tokens::verify(algorithm),
            Self::Sign => tokens::sign(algorithm),
        }
    }

    pub(crate) fn title(self, algorithm: Algorithm) -> String {
        match self {
            Self::Verify => format!("{} verify", algorithm.name()),
            Self::Sign => format!("{} sign", algorithm.name()),
        }
    }
}

impl Results {
    /// What an operation would take if only its cryptography differed from HS256: the raw operation with a parsed key, and
    /// the rest of our HS256 time.
    fn floor_of(&self, direction: Direction, algorithm: Algorithm, backend: &Backend) -> Option<f64> {
        let raw = match tokens::raw_hmac(algorithm) {
            Some(operation) => self.median(operation, FLOOR)?,
            None => self.median(self.compared(direction, algorithm, backend), backend.floor)?,
        };
        let hs256 = self.median(direction.operation(Algorithm::Hs256), OURS)?;
        let hmac = self.median(tokens::raw_hmac(Algorithm::Hs256)?, FLOOR)?;
        Some(raw + hs256 - hmac)
    }

    /// The operation whose time is compared with the raw one. Without random bytes if the build has that, so that both take the
    /// same number of attempts.
    fn compared(&self, direction: Direction, algorithm: Algorithm, backend: &Backend) -> &'static str {
        let deterministic = match direction {
            Direction::Sign => tokens::sign_deterministic(algorithm),
            Direction::Verify => None,
        };
        deterministic
            .filter(|operation| self.get(operation, backend.ours).is_some())
            .unwrap_or(direction.operation(algorithm))
    }

    /// Our time, divided by [`Self::floor_of`].
    pub(crate) fn overhead(
        &self,
        direction: Direction,
        algorithm: Algorithm,
        backend: &Backend,
    ) -> Option<f64> {
        let ours = self.median(self.compared(direction, algorithm, backend), backend.ours)?;
        Some(ours / self.floor_of(direction, algorithm, backend)?)
    }
}

pub(crate) fn all(results: &Results) -> Vec<Target> {
    let judge = Judge(results);
    let mut targets = hs256_verify(&judge);
    targets.extend(hs256_sign(&judge));
    targets.extend(longer_hmac(&judge));
    targets.extend(rs256_verify(&judge));
    targets.extend(rs256_sign(&judge));
    targets.extend(es256(&judge));
    targets.extend(BACKENDS.iter().map(|backend| judge.worst_overhead(backend)));
    targets.extend(growth(&judge));
    targets.extend(key_set(&judge));
    targets
}

/// The targets for a comparison with the build `before` of an earlier commit.
pub(crate) fn against(results: &Results, before: &'static str) -> Vec<Target> {
    let change = |what: &str, operation: &str, ours: &'static str, limit: fn(f64) -> Limit, at_most: f64| {
        let measured = results.get(operation, ours).zip(results.get(operation, before));
        let measured = measured.map(|(now, before)| now.ratio_to(before));
        Target { what: format!("{what} / before"), limit: limit(at_most), measured }
    };
    let mut targets = Vec::new();
    for direction in Direction::BOTH {
        let (what, operation) = (direction.title(Algorithm::Hs256), direction.operation(Algorithm::Hs256));
        targets.push(change(&what, operation, OURS, Limit::RatioAndNoise, 1.00));
    }
    for bits in RSA.map(|key| key.bits) {
        let what = format!("RS256-{bits} verify, pure Rust");
        targets.push(change(&what, &tokens::verify_rs256(bits), OURS, Limit::RatioAndNoise, 1.00));
    }
    let sign = tokens::SIGN_RS256;
    targets.push(change("RS256-2048 sign, pure Rust", sign, OURS, Limit::Ratio, 0.60));
    targets.push(change("RS256-2048 sign, graviola", sign, OURS_GRAVIOLA, Limit::Ratio, 0.27));
    targets
}

fn hs256_verify(judge: &Judge<'_>) -> Vec<Target> {
    let verify = tokens::verify_hs256(Size::Typical);
    let (owned, borrowed) = (judge.median(verify, OURS), judge.median(tokens::VERIFY_IN, OURS));
    vec![
        judge.against_best("HS256 verify", verify, owned, |_| true, 0.55),
        judge.against("HS256 verify", verify, owned, JSONWEBTOKEN_RUST, 0.35),
        judge.against("HS256 verify", verify, owned, FLOOR, 1.15),
        judge.against_best("HS256 verify, borrowed claims", verify, borrowed, |_| true, 0.45),
        judge.allocations("HS256 verify, borrowed claims", tokens::VERIFY_IN, 0.0),
        ratio(
            "HS256 refuse a forged token / accept a good one",
            judge.median(tokens::REFUSE_FORGED, OURS),
            owned,
            0.60,
        ),
    ]
}

fn hs256_sign(judge: &Judge<'_>) -> Vec<Target> {
    let sign = tokens::sign_hs256(Size::Typical);
    let ours = judge.median(sign, OURS);
    vec![
        judge.against_best("HS256 sign", sign, ours, |_| true, 0.75),
        judge.against("HS256 sign", sign, ours, JSONWEBTOKEN_RUST, 0.60),
        judge.against("HS256 sign", sign, ours, FLOOR, 1.10),
        judge.allocations("HS256 sign", sign, 2.0),
    ]
}

fn longer_hmac(judge: &Judge<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    for algorithm in [Algorithm::Hs384, Algorithm::Hs512] {
        for direction in Direction::BOTH {
            let (what, operation) = (direction.title(algorithm), direction.operation(algorithm));
            let ours = judge.median(operation, OURS);
            targets.push(judge.against(&what, operation, ours, FLOOR, 1.05).exact());
            targets.push(judge.against_best(&what, operation, ours, |_| true, 1.00).exact());
        }
        let what = Direction::Sign.title(algorithm);
        targets.push(judge.allocations(&what, tokens::sign(algorithm), 2.0));
    }
    targets
}

fn rs256_verify(judge: &Judge<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    for bits in RSA.map(|key| key.bits) {
        let (what, verify) = (format!("RS256-{bits} verify, pure Rust"), tokens::verify_rs256(bits));
        let ours = judge.median(&verify, OURS);
        targets.push(judge.against_best(&what, &verify, ours, is(Cryptography::PureRust), 0.55));
        targets.push(judge.against(&what, &verify, ours, JSONWEBTOKEN_RUST, 0.20));
    }
    let verify = tokens::verify_rs256(2048);
    let ours = judge.median(&verify, OURS_AWS_LC);
    targets.push(judge.against_best("RS256-2048 verify, aws-lc-rs", &verify, ours, |_| true, 0.85));
    targets
}

fn rs256_sign(judge: &Judge<'_>) -> Vec<Target> {
    let (what, ours) = ("RS256-2048 sign, aws-lc-rs", judge.median(tokens::SIGN_RS256, OURS_AWS_LC));
    vec![
        judge.against(what, tokens::SIGN_RS256, ours, FLOOR_AWS_LC, 1.05),
        judge.against(what, tokens::SIGN_RS256, ours, JSONWEBTOKEN_AWS_LC, 0.45),
    ]
}

fn es256(judge: &Judge<'_>) -> Vec<Target> {
    let (verify, sign) = (tokens::verify(Algorithm::Es256), tokens::sign(Algorithm::Es256));
    let (verifying, signing) = (judge.median(verify, OURS_GRAVIOLA), judge.median(sign, OURS_GRAVIOLA));
    let (what_verify, what_sign) = ("ES256 verify, graviola", "ES256 sign, graviola");
    let pure_rust = &BACKENDS[0];
    vec![
        judge.against(what_verify, verify, verifying, FLOOR, 0.20).exact(),
        judge.against(what_verify, verify, verifying, JSONWEBTOKEN_AWS_LC, 0.80).exact(),
        judge.against_best(what_verify, verify, verifying, is(Cryptography::Ring), 1.05).exact(),
        judge.against(what_sign, sign, signing, FLOOR, 0.20).exact(),
        judge.against_best(what_sign, sign, signing, |_| true, 1.00),
        Target {
            what: "ES256 verify, pure Rust / `p256` and the rest of HS256".to_owned(),
            limit: Limit::Ratio(1.03),
            measured: judge.0.overhead(Direction::Verify, Algorithm::Es256, pure_rust),
        },
    ]
}

fn growth(judge: &Judge<'_>) -> Vec<Target> {
    let by_key_id = |keys| judge.median(&tokens::verify_by_key_id(keys), OURS);
    vec![
        ratio("HS256 verify by `kid`, 100,000 keys / one key", by_key_id(100_000), by_key_id(1), 1.4),
        ratio(
            &format!("HS256 verify, each further byte / {}", judge.0.label_of(JSONWEBTOKEN_RUST)),
            judge.per_byte(OURS),
            judge.per_byte(JSONWEBTOKEN_RUST),
            0.45,
        ),
    ]
}

fn key_set(judge: &Judge<'_>) -> Vec<Target> {
    let operation = tokens::USE_KEY_SET;
    let (rust, aws_lc) = ("JWK set, read and used, pure Rust", "JWK set, read and used, aws-lc-rs");
    [
        (rust, OURS, JSONWEBTOKEN_RUST),
        (rust, OURS, JSONWEBTOKEN_AWS_LC),
        (rust, OURS, JWTK),
        (aws_lc, OURS_AWS_LC, JSONWEBTOKEN_AWS_LC),
        (aws_lc, OURS_AWS_LC, JWTK),
    ]
    .map(|(what, ours, rival)| {
        judge.against(what, operation, judge.median(operation, ours), rival, 1.00).exact()
    })
    .into()
}

fn is(cryptography: Cryptography) -> impl Fn(&Entry) -> bool {
    move |entry| entry.cryptography == cryptography
}

struct Judge<'r>(&'r Results);

impl Judge<'_> {
    fn median(&self, operation: &str, id: &'static str) -> Option<f64> {
        self.0.median(operation, id)
    }

    fn against(
        &self,
        what: &str,
        operation: &str,
        ours: Option<f64>,
        id: &'static str,
        limit: f64,
    ) -> Target {
        ratio(&format!("{what} / {}", self.0.label_of(id)), ours, self.median(operation, id), limit)
    }

    fn against_best(
        &self,
        what: &str,
        operation: &str,
        ours: Option<f64>,
        of: impl Fn(&Entry) -> bool,
        limit: f64,
    ) -> Target {
        let best = self.0.best_rival(operation, of);
        let name = best.map_or("none was measured", |(entry, _)| self.0.label(entry));
        ratio(&format!("{what} / the best: {name}"), ours, best.map(|(_, median)| median), limit)
    }

    fn allocations(&self, what: &str, operation: &str, limit: f64) -> Target {
        let measured = self.0.get(operation, OURS).map(|measured| measured.allocations.from_rust);
        Target { what: format!("{what}, allocations"), limit: Limit::Allocations(limit), measured }
    }

    /// The operation of a backend whose [`Results::overhead`] is the largest.
    fn worst_overhead(&self, backend: &Backend) -> Target {
        let pairs =
            Algorithm::ALL.into_iter().flat_map(|algorithm| Direction::BOTH.map(|way| (way, algorithm)));
        let all = pairs.filter_map(|(way, algorithm)| {
            Some((way.title(algorithm), self.0.overhead(way, algorithm, backend)?))
        });
        let worst = all.max_by(|(_, one), (_, other)| one.total_cmp(other));
        let (name, measured) =
            worst.map_or(("none was measured".to_owned(), None), |(name, ratio)| (name, Some(ratio)));
        let what =
            format!("every algorithm, {} / the raw operation and the rest of HS256: {name}", backend.name);
        Target { what, limit: Limit::Ratio(OVERHEAD), measured }
    }

    /// What a payload costs per byte between 1,000 and 100,000 of them.
    fn per_byte(&self, id: &'static str) -> Option<f64> {
        let large = self.median(tokens::verify_hs256(Size::HundredKilobytes), id)?;
        let small = self.median(tokens::verify_hs256(Size::OneKilobyte), id)?;
        Some((large - small) / 99_000.0)
    }
}

fn ratio(what: &str, ours: Option<f64>, other: Option<f64>, limit: f64) -> Target {
    let measured = ours.zip(other).map(|(ours, other)| ours / other);
    Target { what: what.to_owned(), limit: Limit::RatioAndNoise(limit), measured }
}
