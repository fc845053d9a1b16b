//! Runs concurrent calls in every possible order of their store calls.

use crate::binding::Binding;
use crate::config::Grace;
use crate::contract::kit::{Kit, NOW, Report, Violation, hold};
use crate::contract::schedule::{Caller, Orders, SteppedStore, Turnstile};
use crate::error::{Error, Reason, Recency, Refusal};
use crate::grant::{Exchange, Grant};
use crate::login::Login;
use crate::row::Row;
use crate::store::Store;
use alloc::vec::Vec;
use core::time::Duration;
use countersign::UnixTime;

pub(crate) async fn check<S: Store>(kit: &Kit<'_, S>, report: &mut Report) -> Result<(), Violation> {
    report.add("orders of two exchanges of one token", exchanges(kit, 2).await?);
    report.add("orders of three exchanges of one token", exchanges(kit, 3).await?);
    report.add("orders of three late repeats of one exchange", late_repeats(kit).await?);
    report.add("orders of two exchanges without a grace", without_grace(kit).await?);
    report.add("orders of an exchange and a logout", beside_a_logout(kit).await?);
    report.add("orders of an exchange and the reuse of its predecessor", beside_reuse(kit).await?);
    report.add("orders of a login and the end of all sessions", login_beside_the_end_of_all(kit).await?);
    report.add("orders of an exchange and the end of all sessions", beside_the_end_of_all(kit).await?);
    Ok(())
}

type Exchanged = Result<Grant, Error>;

/// Exchanges this token on its own server.
async fn exchange<S: Store>(
    kit: &Kit<'_, S>,
    turnstile: Turnstile,
    grace: Grace,
    text: &str,
    now: UnixTime,
) -> Result<Exchanged, Violation> {
    let server = kit.server(SteppedStore::new(kit.store, turnstile), grace)?;
    Ok(server.at(now).refresh(text, &Binding::None).await)
}

/// Exchanges one token by this many callers, in one order.
async fn exchange_all<S: Store>(
    kit: &Kit<'_, S>,
    orders: &mut Orders,
    grace: Grace,
    text: &str,
    (callers, now): (usize, UnixTime),
) -> Result<Vec<Exchanged>, Violation> {
    let caller = || {
        let turnstile = Turnstile::default();
        Caller::new(turnstile.clone(), exchange(kit, turnstile, grace, text, now))
    };
    let callers = core::iter::repeat_with(caller).take(callers).collect();
    orders.run(callers).await?.into_iter().collect()
}

async fn stored<S: Store>(kit: &Kit<'_, S>, grant: &Grant) -> Result<Row, Violation> {
    let found = kit.store.load(grant.session_id()).await?;
    found.map(|loaded| loaded.row).ok_or_else(|| Violation::new("a session keeps its row", ()))
}

/// Checks that the generation advances once, that all callers get one successor, and that later reuse ends only this session.
pub(crate) async fn exchanges<S: Store>(kit: &Kit<'_, S>, callers: usize) -> Result<usize, Violation> {
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let (grant, other) = kit.two_sessions().await?;
        let text = grant.refresh_token().expose_secret();
        let outcomes = exchange_all(kit, &mut orders, Grace::default(), text, (callers, NOW)).await?;
        let grants: Vec<Grant> = outcomes.into_iter().collect::<Result<_, _>>()?;
        let row = stored(kit, &grant).await?;
        hold("one of several exchanges at once advances the generation", row.generation == 2, &row)?;
        let steps = grants.iter().filter(|grant| grant.exchange() == Exchange::Rotated).count();
        hold("one of several exchanges at once advances the generation", steps == 1, steps)?;
        let successors: Vec<&str> =
            grants.iter().map(|grant| grant.refresh_token().expose_secret()).collect();
        let same = successors.windows(2).all(|pair| matches!(pair, [a, b] if a == b));
        hold("exchanges at once get the same successor", same, steps)?;
        let noted = grants.iter().all(|grant| grant.access_expires_at() <= row.access_until);
        hold("no access token ends later than its row says", noted, &row)?;
        if let Some(successor) = successors.first() {
            reuse_ends_it(kit, text, successor).await?;
        }
        kit.unharmed(&other).await?;
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}

/// Checks a client that lost the answer and asks several times at once, hours later. The row must note the new access token.
async fn late_repeats<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let day = Duration::from_secs(24 * 3600);
    let (grace, now) = (Grace::UntilSuccessorUsed { cap: day }, NOW.saturating_add(day));
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let (grant, _) = kit.two_sessions().await?;
        let text = grant.refresh_token().expose_secret();
        let lost = kit.server(kit.store, grace)?.at(NOW).refresh(text, &Binding::None).await?;
        let outcomes = exchange_all(kit, &mut orders, grace, text, (3, now)).await?;
        let row = stored(kit, &grant).await?;
        hold("a repeat does not advance the generation", row.generation == 2 && row.rotated_at == NOW, &row)?;
        for outcome in outcomes {
            let grant = outcome?;
            let same = grant.refresh_token().expose_secret() == lost.refresh_token().expose_secret();
            hold("a repeat gets the lost successor", same, ())?;
            let noted = grant.access_expires_at() <= row.access_until;
            hold("no access token ends later than its row says", noted, &row)?;
        }
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}

/// Checks that the session ends if its predecessor comes after the successor was used.
async fn reuse_ends_it<S: Store>(kit: &Kit<'_, S>, text: &str, successor: &str) -> Result<(), Violation> {
    let server = kit.server(kit.store, Grace::default())?;
    let next = server.at(NOW).refresh(successor, &Binding::None).await?;
    let law = "a token that was used before ends its session";
    let refusal = server.at(NOW).refresh(text, &Binding::None).await.err().and_then(|error| error.refusal());
    hold(law, refusal == Some(Refusal::Reused(Recency::Stale)), refusal)?;
    hold("an ended session's access tokens are denied", kit.denies(&next).await?, ())?;
    let text = next.refresh_token().expose_secret();
    let refusal = server.at(NOW).refresh(text, &Binding::None).await.err().and_then(|error| error.refusal());
    hold(law, refusal == Some(Refusal::Revoked(Reason::Reuse)), refusal)
}

/// Checks that the second exchange is reuse if there is no grace.
async fn without_grace<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let (grant, other) = kit.two_sessions().await?;
        let text = grant.refresh_token().expose_secret();
        let outcomes = exchange_all(kit, &mut orders, Grace::None, text, (2, NOW)).await?;
        let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        hold("without a grace one of two exchanges is made", won == 1, won)?;
        let row = stored(kit, &grant).await?;
        let ended = matches!(row.revoked, Some((_, Reason::Reuse)));
        hold("without a grace the second exchange ends the session", ended, &row)?;
        hold("an ended session's access tokens are denied", kit.denies(&grant).await?, ())?;
        kit.unharmed(&other).await?;
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}

/// A call that runs concurrently with an exchange.
enum Rival<'a> {
    Logout(&'a str),
    Reuse(&'a str),
    EndOfAll(&'a str),
}

impl Rival<'_> {
    async fn run<S: Store>(&self, kit: &Kit<'_, S>, turnstile: Turnstile) -> Result<Exchanged, Violation> {
        let server = kit.server(SteppedStore::new(kit.store, turnstile), Grace::default())?;
        match self {
            Self::Logout(text) => server.at(NOW).logout(text).await.map(|_| ())?,
            Self::EndOfAll(subject) => server.at(NOW).revoke_all(subject).await?,
            Self::Reuse(text) => {
                let refusal = server.at(NOW).refresh(text, &Binding::None).await.err();
                let refusal = refusal.and_then(|error| error.refusal());
                hold("a token that was used before is refused", refusal.is_some(), refusal)?;
            }
        }
        // There is no grant. To the caller of this function it looks like a refusal.
        Ok(Err(Error::InvalidGrant(Refusal::UnknownSession)))
    }
}

/// Runs an exchange and a rival, in one order, and checks that the session and all its access tokens have ended.
async fn ends_beside<S: Store>(
    kit: &Kit<'_, S>,
    orders: &mut Orders,
    text: &str,
    rival: Rival<'_>,
) -> Result<(), Violation> {
    let gates = [Turnstile::default(), Turnstile::default()];
    let [first, second] = gates.clone();
    let [its, rivals] = gates;
    let callers = Vec::from([
        Caller::new(its, exchange(kit, first, Grace::default(), text, NOW)),
        Caller::new(rivals, rival.run(kit, second)),
    ]);
    let outcomes: Vec<Exchanged> = orders.run(callers).await?.into_iter().collect::<Result<_, _>>()?;
    let server = kit.server(kit.store, Grace::default())?;
    for grant in outcomes.iter().flatten() {
        hold("an ended session's access tokens are denied", kit.denies(grant).await?, ())?;
        let next = grant.refresh_token().expose_secret();
        let refusal = server.at(NOW).refresh(next, &Binding::None).await.err().and_then(|e| e.refusal());
        hold("a session that was ended during an exchange is over", refusal.is_some(), refusal)?;
    }
    Ok(())
}

async fn beside_a_logout<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let (grant, other) = kit.two_sessions().await?;
        let text = grant.refresh_token().expose_secret();
        ends_beside(kit, &mut orders, text, Rival::Logout(text)).await?;
        let row = stored(kit, &grant).await?;
        hold("a logout ends the session whatever else runs", row.revoked.is_some(), &row)?;
        kit.unharmed(&other).await?;
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}

async fn beside_reuse<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let (first, other) = kit.two_sessions().await?;
        let server = kit.server(kit.store, Grace::default())?;
        let stolen = first.refresh_token().expose_secret();
        let second = server.at(NOW).refresh(stolen, &Binding::None).await?;
        let third = server.at(NOW).refresh(second.refresh_token().expose_secret(), &Binding::None).await?;
        let text = third.refresh_token().expose_secret();
        ends_beside(kit, &mut orders, text, Rival::Reuse(stolen)).await?;
        let row = stored(kit, &first).await?;
        hold("reuse ends the session whatever else runs", row.revoked.is_some(), &row)?;
        kit.unharmed(&other).await?;
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}

async fn beside_the_end_of_all<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let (grant, _) = kit.two_sessions().await?;
        let text = grant.refresh_token().expose_secret();
        ends_beside(kit, &mut orders, text, Rival::EndOfAll(grant.subject())).await?;
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}

async fn login_beside_the_end_of_all<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let subject = kit.subject()?;
        let (first, second) = (Turnstile::default(), Turnstile::default());
        let rival = Rival::EndOfAll(&subject);
        let login = async |turnstile| -> Result<Exchanged, Violation> {
            let server = kit.server(SteppedStore::new(kit.store, turnstile), Grace::default())?;
            Ok(server.at(NOW).login(&Login::new(&*subject)).await)
        };
        let callers = Vec::from([
            Caller::new(first.clone(), login(first)),
            Caller::new(second.clone(), rival.run(kit, second)),
        ]);
        let outcomes: Vec<Exchanged> = orders.run(callers).await?.into_iter().collect::<Result<_, _>>()?;
        let epoch = kit.store.epoch(&subject).await?;
        for grant in outcomes.iter().flatten() {
            // It began before the end and has ended, or after it and lives.
            let over = grant.row().subject_epoch != epoch;
            let server = kit.server(kit.store, Grace::default())?;
            let text = grant.refresh_token().expose_secret();
            let lives = server.at(NOW).refresh(text, &Binding::None).await.is_ok();
            hold("a login during the end of all sessions lives or is over", lives != over, (lives, over))?;
            let denied = kit.denies(grant).await?;
            hold("its access tokens are denied if it is over", denied == over, (denied, over))?;
        }
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}

/// Checks that both may log in, and that one session is left.
pub(crate) async fn two_logins_for_one<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let (mut orders, mut count) = (Orders::default(), 0_usize);
    loop {
        let subject = kit.subject()?;
        let login = async |turnstile| -> Result<Exchanged, Violation> {
            Ok(kit
                .single(SteppedStore::new(kit.store, turnstile))?
                .at(NOW)
                .login(&Login::new(&*subject))
                .await)
        };
        let caller = || {
            let turnstile = Turnstile::default();
            Caller::new(turnstile.clone(), login(turnstile))
        };
        let outcomes: Vec<Exchanged> =
            orders.run(Vec::from([caller(), caller()])).await?.into_iter().collect::<Result<_, _>>()?;
        let grants: Vec<Grant> = outcomes.into_iter().collect::<Result<_, _>>()?;
        let living = kit.single(kit.store)?.at(NOW).list(&subject).await?;
        hold("one of two logins at once is left if one session is allowed", living.len() == 1, living.len())?;
        for grant in &grants {
            let over = living.iter().all(|row| row.session != grant.session_id());
            let denied = kit.denies(grant).await?;
            hold("an ended session's access tokens are denied", denied == over, (denied, over))?;
        }
        count = count.saturating_add(1);
        if !orders.advance() {
            return Ok(count);
        }
    }
}
