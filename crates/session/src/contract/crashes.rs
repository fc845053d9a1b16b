//! Simulates servers that crash between two store calls.

use crate::binding::Binding;
use crate::config::Grace;
use crate::contract::kit::{Kit, NOW, Report, Violation, hold};
use crate::contract::schedule::{Caller, SteppedStore, Turnstile};
use crate::error::{Error, Refusal};
use crate::grant::Grant;
use crate::login::Login;
use crate::sessions::Sessions;
use crate::store::Store;
use alloc::string::String;

pub(crate) async fn check<S: Store>(kit: &Kit<'_, S>, report: &mut Report) -> Result<(), Violation> {
    report.add("crashes of an exchange", of_an_exchange(kit).await?);
    report.add("crashes of a logout", of_an_end(kit, End::Logout).await?);
    report.add("crashes of the end of all sessions", of_an_end(kit, End::All).await?);
    report.add("crashes of the end of all sessions before a login", before_a_login(kit).await?);
    report.add("crashes of a reuse that was noticed", of_an_end(kit, End::Reuse).await?);
    report.add("crashes of a logout before an exchange", before_an_exchange(kit, End::Logout).await?);
    report.add("crashes of the end of all before an exchange", before_an_exchange(kit, End::All).await?);
    Ok(())
}

/// Lets a call make this many store calls, then drops it. Returns whether the call was complete.
async fn crash<R>(turnstile: Turnstile, call: impl Future<Output = R>, steps: usize) -> bool {
    let mut caller = Caller::new(turnstile, call);
    for _ in 0..steps {
        if caller.is_done() {
            break;
        }
        caller.step().await;
    }
    caller.is_done()
}

/// Checks that a client without an answer can ask again with the same token: the session still exists, and exists once.
async fn of_an_exchange<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let server = kit.server(kit.store, Grace::default())?;
    let mut steps = 0_usize;
    loop {
        let (grant, other) = kit.two_sessions().await?;
        let text = grant.refresh_token().expose_secret();
        let turnstile = Turnstile::default();
        let dying = kit.server(SteppedStore::new(kit.store, turnstile.clone()), Grace::default())?;
        let done = crash(turnstile, dying.at(NOW).refresh(text, &Binding::None), steps).await;
        let mut successor: Option<String> = None;
        for _ in 0..2 {
            let again = server.at(NOW).refresh(text, &Binding::None).await?;
            hold("a crash makes no second step", again.row().generation == 2, again.row())?;
            let text = again.refresh_token().expose_secret();
            let same = successor.as_ref().is_none_or(|known| known == text);
            hold("after a crash there is one successor", same, ())?;
            successor = Some(text.into());
        }
        let next = server.at(NOW).refresh(&successor.unwrap_or_default(), &Binding::None).await?;
        hold("after a crash the session goes on", next.row().generation == 3, next.row())?;
        kit.unharmed(&other).await?;
        steps = steps.saturating_add(1);
        if done {
            return Ok(steps);
        }
    }
}

/// A way to end a session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Logout,
    All,
    Reuse,
}

impl End {
    async fn run<S: Store>(self, server: &Sessions<S>, first: &Grant) -> Result<(), Error> {
        let text = first.refresh_token().expose_secret();
        match self {
            Self::Logout => server.at(NOW).logout(text).await.map(|_| ()),
            Self::All => server.at(NOW).revoke_all(first.subject()).await,
            Self::Reuse => match server.at(NOW).refresh(text, &Binding::None).await {
                Err(Error::InvalidGrant(Refusal::Reused(_) | Refusal::Revoked(_))) => Ok(()),
                other => other.map(|_| ()),
            },
        }
    }

    /// Ends the session on a server that crashes after this many store calls. Returns whether the call was complete.
    async fn crash<S: Store>(self, kit: &Kit<'_, S>, first: &Grant, steps: usize) -> Result<bool, Violation> {
        let turnstile = Turnstile::default();
        let dying = kit.server(SteppedStore::new(kit.store, turnstile.clone()), Grace::default())?;
        Ok(crash(turnstile, self.run(&dying, first), steps).await)
    }
}

/// Returns whether the store has the session as ended.
async fn is_over<S: Store>(kit: &Kit<'_, S>, grant: &Grant) -> Result<bool, Violation> {
    let found = kit.store.load(grant.session_id()).await?;
    Ok(found.is_none_or(|loaded| {
        loaded.row.revoked.is_some() || loaded.row.subject_epoch != loaded.subject_epoch
    }))
}

/// Checks that no access token outlives its session, and that a second attempt ends the session.
async fn of_an_end<S: Store>(kit: &Kit<'_, S>, end: End) -> Result<usize, Violation> {
    let server = kit.server(kit.store, Grace::default())?;
    let mut steps = 0_usize;
    loop {
        let (first, other) = kit.two_sessions().await?;
        let mut last = server.at(NOW).refresh(first.refresh_token().expose_secret(), &Binding::None).await?;
        last = server.at(NOW).refresh(last.refresh_token().expose_secret(), &Binding::None).await?;
        let done = end.crash(kit, &first, steps).await?;
        let over = is_over(kit, &first).await?;
        let denied = kit.denies(&last).await?;
        hold("no access token outlives its session", denied || !over, (denied, over))?;
        end.run(&server, &first).await?;
        hold("after a crash a session can still be ended", kit.denies(&last).await?, ())?;
        let text = last.refresh_token().expose_secret();
        let refusal = server.at(NOW).refresh(text, &Binding::None).await.err().and_then(|e| e.refusal());
        hold("after a crash a session can still be ended", refusal.is_some(), refusal)?;
        if end != End::All {
            kit.unharmed(&other).await?;
        }
        steps = steps.saturating_add(1);
        if done {
            return Ok(steps);
        }
    }
}

/// Checks that the next login returns usable tokens, however far the end of all sessions has got.
async fn before_a_login<S: Store>(kit: &Kit<'_, S>) -> Result<usize, Violation> {
    let server = kit.server(kit.store, Grace::default())?;
    let mut steps = 0_usize;
    loop {
        let (first, _) = kit.two_sessions().await?;
        let done = End::All.crash(kit, &first, steps).await?;
        let begun = kit.denies(&first).await?;
        let grant = server.at(NOW).login(&Login::new(first.subject())).await?;
        hold(
            "after a crash a login returns access tokens that are accepted",
            !kit.denies(&grant).await?,
            (),
        )?;
        kit.unharmed(&grant).await?;
        let text = first.refresh_token().expose_secret();
        let over = server.at(NOW).refresh(text, &Binding::None).await.is_err();
        hold("a login completes the end of all sessions", over == begun, (over, begun))?;
        steps = steps.saturating_add(1);
        if done {
            return Ok(steps);
        }
    }
}

/// Checks that the refresh token cannot be exchanged once an end has begun.
async fn before_an_exchange<S: Store>(kit: &Kit<'_, S>, end: End) -> Result<usize, Violation> {
    let server = kit.server(kit.store, Grace::default())?;
    let mut steps = 0_usize;
    loop {
        let (first, other) = kit.two_sessions().await?;
        let done = end.crash(kit, &first, steps).await?;
        let begun = kit.denies(&first).await?;
        let text = first.refresh_token().expose_secret();
        let over = server.at(NOW).refresh(text, &Binding::None).await.is_err();
        hold("an exchange completes an end that has begun", over == begun, (over, begun))?;
        let ended = is_over(kit, &first).await?;
        hold("an exchange completes an end that has begun", ended == begun, (ended, begun))?;
        if end != End::All {
            kit.unharmed(&other).await?;
        }
        steps = steps.saturating_add(1);
        if done {
            return Ok(steps);
        }
    }
}
