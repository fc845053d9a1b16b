//! What `countersign` sets out to reach, as ratios of medians within one run.

use crate::results::Results;
use crate::roster::{
    Entry, FLOOR, FLOOR_AWS_LC, JSONWEBTOKEN_AWS_LC, JSONWEBTOKEN_RUST, OURS, OURS_AWS_LC, Rsa,
};
use compare_common::claims::Size;
use compare_common::keys::RSA;
use compare_common::tokens;

/// What ratios of one run can be trusted to.
const TOLERANCE: f64 = 1.03;

pub(crate) struct Target {
    pub(crate) what: String,
    pub(crate) limit: Limit,
    /// `None` where one of the two was not measured.
    pub(crate) measured: Option<f64>,
}

#[derive(Clone, Copy)]
pub(crate) enum Limit {
    Ratio(f64),
    Allocations(f64),
}

impl Target {
    pub(crate) fn is_met(&self) -> Option<bool> {
        self.measured.map(|measured| match self.limit {
            Limit::Ratio(limit) => measured <= limit * TOLERANCE,
            Limit::Allocations(limit) => measured <= limit,
        })
    }
}

pub(crate) fn all(results: &Results) -> Vec<Target> {
    let judge = Judge(results);
    let mut targets = hs256_verify(&judge);
    targets.extend(hs256_sign(&judge));
    targets.extend(rs256_verify(&judge));
    targets.extend(rs256_sign(&judge));
    targets.extend(growth(&judge));
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

fn rs256_verify(judge: &Judge<'_>) -> Vec<Target> {
    let mut targets = Vec::new();
    for bits in RSA.map(|key| key.bits) {
        let (what, verify) = (format!("RS256-{bits} verify, pure Rust"), tokens::verify_rs256(bits));
        let ours = judge.median(&verify, OURS);
        targets.push(judge.against_best(&what, &verify, ours, |entry| entry.rsa == Rsa::PureRust, 0.55));
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

    /// What a payload costs per byte between 1,000 and 100,000 of them.
    fn per_byte(&self, id: &'static str) -> Option<f64> {
        let large = self.median(tokens::verify_hs256(Size::HundredKilobytes), id)?;
        let small = self.median(tokens::verify_hs256(Size::OneKilobyte), id)?;
        Some((large - small) / 99_000.0)
    }
}

fn ratio(what: &str, ours: Option<f64>, other: Option<f64>, limit: f64) -> Target {
    let measured = ours.zip(other).map(|(ours, other)| ours / other);
    Target { what: what.to_owned(), limit: Limit::Ratio(limit), measured }
}
