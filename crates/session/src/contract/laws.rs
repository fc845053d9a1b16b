//! The laws of a store, one by one.

use crate::binding::Binding;
use crate::config::Grace;
use crate::contract::kit::{Kit, NOW, Report, Violation, hold};
use crate::denial::DenyKey;
use crate::error::{Reason, StoreError};
use crate::grant::Randomness;
use crate::id::SessionId;
use crate::login::Login;
use crate::machine::{Loaded, Machine};
use crate::row::Row;
use crate::store::{Store, Swap};
use crate::text;
use alloc::format;
use alloc::vec::Vec;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use countersign::{Entropy, UnixTime};

pub(crate) async fn check<S: Store>(kit: &Kit<'_, S>, report: &mut Report) -> Result<(), Violation> {
    absence(kit).await?;
    inserting(kit).await?;
    swapping(kit).await?;
    comparing_versions(kit).await?;
    writing_at_once(kit).await?;
    listing(kit).await?;
    listing_many(kit).await?;
    leaving_out_ended(kit).await?;
    telling_subjects_apart(kit).await?;
    epochs(kit).await?;
    denying(kit).await?;
    denying_many(kit).await?;
    telling_keys_apart(kit).await?;
    purging(kit).await?;
    report.add("laws of single calls", 14);
    Ok(())
}

/// Makes a row without a store.
fn row<S: Store>(kit: &Kit<'_, S>, login: &Login) -> Result<Row, Violation> {
    let machine = Machine::new(Kit::<S>::config(Grace::default())?, kit.keys.clone());
    let step = machine.login(login, 0, NOW, &Randomness::draw(kit.entropy())?)?;
    step.write.map(|write| write.row).ok_or_else(|| Violation::new("a login writes", ()))
}

/// Returns the next version of the row, ended.
fn ended(row: &Row) -> Row {
    Row { revoked: Some((NOW, Reason::Logout)), ..row.next_version() }
}

async fn loaded<S: Store>(kit: &Kit<'_, S>, session: SessionId) -> Result<Option<Row>, Violation> {
    Ok(kit.store.load(session).await?.map(|loaded| loaded.row))
}

async fn absence<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let row = row(kit, &Login::new(kit.subject()?))?;
    let found = kit.store.load(row.session).await?;
    hold("a session that was never written is absent", found.is_none(), &found)?;
    let swap = kit.store.compare_and_swap(row.version, &ended(&row)).await?;
    hold("a swap of an absent row is a conflict", swap == Swap::Conflict, swap)?;
    let found = kit.store.load(row.session).await?;
    hold("a swap of an absent row writes nothing", found.is_none(), &found)
}

async fn inserting<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let odd = "'; DROP TABLE sessions; -- \"\\%_\n\u{1f980} e\u{301}";
    let subject = kit.subject()?;
    let long = "x".repeat(1024);
    for (subject, login) in [
        (subject.clone(), Login::new(&*subject)),
        (format!("{subject}{odd}"), Login::new(format!("{subject}{odd}")).label(odd).client_id(odd)),
        (
            subject.clone(),
            Login::new(&*subject).label(long).scope("read write").binding(Binding::fingerprint("cookie")),
        ),
    ] {
        let row = row(kit, &login)?;
        let swap = kit.store.insert(&row).await?;
        hold("a new row is inserted", swap == Swap::Done, swap)?;
        let found = kit.store.load(row.session).await?;
        let law = "a row is loaded as it was written, with epoch 0";
        hold(law, found.as_ref() == Some(&Loaded::new(row.clone(), 0)), &found)?;
        let swap = kit.store.insert(&Row { subject: kit.subject()?, ..ended(&row) }).await?;
        hold("a second row of the same id is a conflict", swap == Swap::Conflict, swap)?;
        let found = loaded(kit, row.session).await?;
        hold("a second row of the same id changes nothing", found.as_ref() == Some(&row), &found)?;
        let listed = kit.store.list(&subject).await?;
        hold("an inserted row is listed", listed.contains(&row), &listed)?;
    }
    Ok(())
}

async fn swapping<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let first = row(kit, &Login::new(kit.subject()?))?;
    hold("a new row is inserted", kit.store.insert(&first).await? == Swap::Done, ())?;
    let second = Row { generation: 2, ..first.next_version() };
    for wrong in [0, 2, u64::MAX >> 1] {
        let swap = kit.store.compare_and_swap(wrong, &second).await?;
        hold("a swap from another version is a conflict", swap == Swap::Conflict, (wrong, swap))?;
        let found = loaded(kit, first.session).await?;
        hold("a swap from another version changes nothing", found.as_ref() == Some(&first), &found)?;
    }
    let swap = kit.store.compare_and_swap(1, &second).await?;
    hold("a swap from the present version is made", swap == Swap::Done, swap)?;
    let found = loaded(kit, first.session).await?;
    hold("a swap is seen by the next load", found.as_ref() == Some(&second), &found)?;
    let swap = kit.store.compare_and_swap(1, &second).await?;
    hold("the same swap is not made twice", swap == Swap::Conflict, swap)?;
    let third = ended(&second);
    hold(
        "a swap from the present version is made",
        kit.store.compare_and_swap(2, &third).await? == Swap::Done,
        (),
    )?;
    let found = loaded(kit, first.session).await?;
    hold("an ended session keeps its row", found.as_ref() == Some(&third), &found)?;
    let listed = kit.store.list(&first.subject).await?;
    hold("a list leaves out ended rows", listed.is_empty(), &listed)
}

/// Checks versions that a too small column, cast or float takes for equal.
async fn comparing_versions<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    const FLOAT: u64 = 1 << 53;
    for (version, mistaken) in [
        (300, 300 - (1 << 8)),
        (70_000, 70_000 - (1 << 16)),
        ((1 << 32) + 5, 5),
        ((1 << 32) + 5, 1 << 32),
        (FLOAT + 1, FLOAT),
    ] {
        let row = Row { version, ..row(kit, &Login::new(kit.subject()?))? };
        hold("a new row is inserted", kit.store.insert(&row).await? == Swap::Done, ())?;
        let swap = kit.store.compare_and_swap(mistaken, &ended(&row)).await?;
        hold("a swap from another version is a conflict", swap == Swap::Conflict, (version, mistaken))?;
        let swap = kit.store.compare_and_swap(version, &ended(&row)).await?;
        hold("a swap from the present version is made", swap == Swap::Done, version)?;
    }
    Ok(())
}

/// Checks two writes that are sent before either is answered.
async fn writing_at_once<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let first = row(kit, &Login::new(kit.subject()?))?;
    let one_of_two = |swaps: [Result<Swap, StoreError>; 2]| -> Result<bool, Violation> {
        let [a, b] = swaps;
        Ok(matches!((a?, b?), (Swap::Done, Swap::Conflict) | (Swap::Conflict, Swap::Done)))
    };
    let inserted = both(kit.store.insert(&first), kit.store.insert(&first)).await;
    hold("of two inserts at once one is made", one_of_two(inserted)?, ())?;
    let (living, ended) = (first.next_version(), ended(&first));
    let swapped = both(kit.store.compare_and_swap(1, &living), kit.store.compare_and_swap(1, &ended)).await;
    hold("of two swaps at once one is made", one_of_two(swapped)?, ())?;
    let [a, b] = both(kit.store.bump_epoch(&first.subject), kit.store.bump_epoch(&first.subject)).await;
    let (a, b) = (a?, b?);
    hold("two bumps at once both count", a.min(b) == 1 && a.max(b) == 2, (a, b))
}

/// Returns the results of two calls that are polled in turn.
async fn both<R>(first: impl Future<Output = R>, second: impl Future<Output = R>) -> [R; 2] {
    let (mut first, mut second) = (pin!(first), pin!(second));
    let (mut one, mut two) = (None, None);
    poll_fn(|context| {
        if one.is_none()
            && let Poll::Ready(value) = first.as_mut().poll(context)
        {
            one = Some(value);
        }
        if two.is_none()
            && let Poll::Ready(value) = second.as_mut().poll(context)
        {
            two = Some(value);
        }
        match (one.take(), two.take()) {
            (Some(a), Some(b)) => Poll::Ready([a, b]),
            unfinished => {
                (one, two) = unfinished;
                Poll::Pending
            }
        }
    })
    .await
}

async fn listing<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let subject = kit.subject()?;
    let mut rows = Vec::new();
    for _ in 0..3 {
        rows.push(row(kit, &Login::new(&*subject))?);
    }
    // Names that a careless comparison takes for equal.
    let others = [
        subject.to_uppercase(),
        format!("{subject} "),
        format!("{subject}%"),
        subject.chars().skip(1).collect(),
        subject.replacen('-', "_", 1),
        format!("{subject}\u{301}"),
    ];
    for other in &others {
        let row = row(kit, &Login::new(&**other))?;
        hold("a new row is inserted", kit.store.insert(&row).await? == Swap::Done, other)?;
    }
    for row in &rows {
        hold("a new row is inserted", kit.store.insert(row).await? == Swap::Done, ())?;
    }
    let mut listed = kit.store.list(&subject).await?;
    listed.sort_by_key(|row| row.session);
    rows.sort_by_key(|row| row.session);
    hold("a list has all rows of its subject and no others", listed == rows, &listed)?;
    let none = kit.store.list(&kit.subject()?).await?;
    hold("an unknown subject has no rows", none.is_empty(), &none)
}

/// Checks a list with more rows than a page of a query, or a batch of a driver.
async fn listing_many<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    const MANY: usize = 1005;
    let login = Login::new(kit.subject()?);
    for _ in 0..MANY {
        let row = row(kit, &login)?;
        hold("a new row is inserted", kit.store.insert(&row).await? == Swap::Done, ())?;
    }
    let listed = kit.store.list(&login.subject).await?.len();
    hold("a list has all rows of its subject and no others", listed == MANY, listed)
}

/// Checks that only a successful swap that ends a row removes it from the list.
async fn leaving_out_ended<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let login = Login::new(kit.subject()?);
    let (first, other) = (row(kit, &login)?, row(kit, &login)?);
    for row in [&first, &other] {
        hold("a new row is inserted", kit.store.insert(row).await? == Swap::Done, ())?;
    }
    let swap = kit.store.compare_and_swap(7, &Row { version: 8, ..ended(&first) }).await?;
    hold("a swap from another version is a conflict", swap == Swap::Conflict, swap)?;
    let listed = listed(kit, &login).await?;
    hold("a swap that was not made leaves its row listed", listed == of([&first, &other]), &listed)?;
    let second = Row { generation: 2, ..first.next_version() };
    let swap = kit.store.compare_and_swap(1, &second).await?;
    hold("a swap from the present version is made", swap == Swap::Done, swap)?;
    let listed = self::listed(kit, &login).await?;
    hold("a list has the present row", listed == of([&second, &other]), &listed)?;
    kit.store.bump_epoch(&login.subject).await?;
    let listed = self::listed(kit, &login).await?;
    hold("a list has rows of former epochs", listed == of([&second, &other]), &listed)?;
    for reason in [Reason::Evicted, Reason::Rollback] {
        let living = row(kit, &login)?;
        let ended = Row { revoked: Some((NOW, reason)), ..living.next_version() };
        hold("a new row is inserted", kit.store.insert(&living).await? == Swap::Done, ())?;
        let swap = kit.store.compare_and_swap(1, &ended).await?;
        hold("a swap from the present version is made", swap == Swap::Done, swap)?;
        let listed = self::listed(kit, &login).await?;
        let unharmed = listed.contains(&second) && listed.contains(&other);
        hold("a change to one session does not affect another", unharmed, &listed)?;
        hold("a list leaves out ended rows", listed.len() == 2, &listed)?;
        let found = loaded(kit, ended.session).await?;
        hold("an ended session keeps its row", found.as_ref() == Some(&ended), &found)?;
    }
    Ok(())
}

/// Lists the rows of the login's subject, in the order of [`of`].
async fn listed<S: Store>(kit: &Kit<'_, S>, login: &Login) -> Result<Vec<Row>, Violation> {
    Ok(of(&kit.store.list(&login.subject).await?))
}

/// Sorts these rows by their ids.
fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Vec<Row> {
    let mut rows: Vec<Row> = rows.into_iter().cloned().collect();
    rows.sort_by_key(|row| row.session);
    rows
}

/// Checks subjects that a collation, a trim or a column takes for equal.
async fn telling_subjects_apart<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let subject = kit.subject()?;
    let long = |last: char| {
        let filler = 1023_usize.saturating_sub(subject.len());
        format!("{subject}{}{last}", "x".repeat(filler))
    };
    for (what, first, second) in [
        ("the last of 1,024 bytes", long('a'), long('b')),
        ("a leading space", format!("{subject}1"), format!(" {subject}1")),
        ("a leading tab", format!("{subject}2"), format!("\t{subject}2")),
        ("a zero-width space", format!("{subject}3"), format!("{subject}\u{200b}3")),
        ("a soft hyphen", format!("{subject}4"), format!("{subject}\u{ad}4")),
        ("a sharp s", format!("{subject}ss"), format!("{subject}\u{df}")),
        ("a letter of full width", format!("{subject}a"), format!("{subject}\u{ff41}")),
        ("a combined accent", format!("{subject}\u{e9}"), format!("{subject}e\u{301}")),
        ("a Kelvin sign", format!("{subject}k"), format!("{subject}\u{212a}")),
    ] {
        for subject in [&first, &second] {
            let row = row(kit, &Login::new(&**subject))?;
            hold("a new row is inserted", kit.store.insert(&row).await? == Swap::Done, what)?;
            let listed = kit.store.list(subject).await?;
            hold("a list has all rows of its subject and no others", listed == [row], what)?;
        }
        kit.store.bump_epoch(&first).await?;
        let epoch = kit.store.epoch(&second).await?;
        hold("a bump is of one subject", epoch == 0, what)?;
    }
    Ok(())
}

async fn epochs<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let subject = kit.subject()?;
    let other = subject.to_uppercase();
    let row = row(kit, &Login::new(&*subject))?;
    hold("a new row is inserted", kit.store.insert(&row).await? == Swap::Done, ())?;
    let epoch = kit.store.epoch(&subject).await?;
    hold("an epoch begins at 0", epoch == 0, epoch)?;
    // More than fits into a byte.
    for expected in 1..=300 {
        let bumped = kit.store.bump_epoch(&subject).await?;
        hold("a bump adds one and returns the result", bumped == expected, bumped)?;
        let epoch = kit.store.epoch(&subject).await?;
        hold("a bump is seen by the next read", epoch == expected, epoch)?;
        let found = kit.store.load(row.session).await?.map(|loaded| loaded.subject_epoch);
        hold("a row is loaded with the present epoch", found == Some(expected), found)?;
    }
    let epoch = kit.store.epoch(&other).await?;
    hold("a bump is of one subject", epoch == 0, epoch)
}

/// Returns keys that no other check uses.
fn keys<const N: usize>(subject: &str) -> [DenyKey; N] {
    let mut number = 0_u64;
    [(); N].map(|()| {
        number = number.saturating_add(1);
        DenyKey::subject(subject, number)
    })
}

async fn denying<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let [first, second, third, fourth] = keys(&kit.subject()?);
    let is_denied = async |keys: &[DenyKey]| kit.store.is_denied(keys).await;
    hold("nothing is denied that was not", !is_denied(&[first, second, third]).await?, ())?;
    hold("no keys are not denied", !is_denied(&[]).await?, ())?;
    let until = NOW.saturating_add(Duration::from_secs(600));
    kit.store.deny(&[first, second], until).await?;
    kit.store.deny(&[], until).await?;
    for keys in [&[first][..], &[second], &[third, second], &[first, third, fourth], &[third, fourth, second]]
    {
        hold("any one denied key is enough", is_denied(keys).await?, keys)?;
    }
    hold("a denial is of its keys only", !is_denied(&[third, fourth]).await?, ())?;
    kit.store.deny(&[first], until).await?;
    hold("a denial can be written twice", is_denied(&[first]).await?, ())
}

/// Checks as many keys as one end of all sessions may deny, with one of them twice.
async fn denying_many<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let until = NOW.saturating_add(Duration::from_secs(600));
    for count in [3, 5, 1005] {
        let subject = kit.subject()?;
        let keys: Vec<DenyKey> = (0..count).map(|number| DenyKey::subject(&subject, number)).collect();
        kit.store.deny(&keys, until).await?;
        for key in [keys.first(), keys.get(2), keys.last()].into_iter().flatten() {
            hold("every key of a denial counts", kit.store.is_denied(&[*key]).await?, count)?;
        }
    }
    let [twice, other] = keys(&kit.subject()?);
    kit.store.deny(&[twice, other, twice], until).await?;
    hold("a denial may name a key twice", kit.store.is_denied(&[twice]).await?, ())
}

/// Checks keys of all kinds. Some begin with the same bytes and differ only after zeros.
async fn telling_keys_apart<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let until = NOW.saturating_add(Duration::from_secs(600));
    let mut random = [0; 15];
    kit.entropy().fill(&mut random)?;
    let id = |zeros: usize, last: u8| {
        let mut id = [0; 16];
        for (place, byte) in id.iter_mut().skip(zeros).zip(random) {
            *place = byte;
        }
        if let Some(place) = id.last_mut() {
            *place = last;
        }
        id
    };
    for zeros in [1, 4] {
        let [denied, other] = [1, 2].map(|last| SessionId::from_bytes(id(zeros, last)));
        let token = |session: SessionId| DenyKey::access_token(&text::encode(session.as_bytes()));
        kit.store.deny(&[DenyKey::session(denied)], until).await?;
        hold("any one denied key is enough", kit.store.is_denied(&[DenyKey::session(denied)]).await?, zeros)?;
        let others = [DenyKey::session(other), token(denied), token(other)];
        hold("a denial is of its keys only", !kit.store.is_denied(&others).await?, zeros)?;
        kit.store.deny(&[token(denied)], until).await?;
        hold("any one denied key is enough", kit.store.is_denied(&[token(denied)]).await?, zeros)?;
        let others = [DenyKey::session(other), token(other)];
        hold("a denial is of its keys only", !kit.store.is_denied(&others).await?, zeros)?;
    }
    Ok(())
}

async fn purging<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let subject = kit.subject()?;
    let [early, late, shortened] = keys(&subject);
    let at = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    kit.store.deny(&[early, shortened], at(100)).await?;
    kit.store.deny(&[late], at(200)).await?;
    kit.store.deny(&[shortened], at(200)).await?;
    kit.store.deny(&[shortened], at(50)).await?;
    kit.store.purge(at(100)).await?;
    let is_denied = async |key: DenyKey| kit.store.is_denied(&[key]).await;
    hold("a denial is kept until its time", is_denied(early).await?, ())?;
    kit.store.purge(at(101)).await?;
    hold("a denial is purged after its time", !is_denied(early).await?, ())?;
    hold("a denial with more time is kept", is_denied(late).await?, ())?;
    hold("the latest time of a denial counts", is_denied(shortened).await?, ())?;

    purging_rows(kit, &subject).await?;
    purging_ended(kit).await
}

async fn purging_rows<S: Store>(kit: &Kit<'_, S>, subject: &str) -> Result<(), Violation> {
    let (short, long) = (row(kit, &Login::new(subject))?, row(kit, &Login::new(subject))?);
    let longer = |time: UnixTime| time.saturating_add(Duration::from_secs(100));
    for row in [&short, &long] {
        hold("a new row is inserted", kit.store.insert(row).await? == Swap::Done, ())?;
    }
    kit.store.bump_epoch(subject).await?;
    kit.store.purge(short.purge_after()).await?;
    let found = loaded(kit, short.session).await?;
    hold("a row is kept until its time", found.is_some(), ())?;
    // A swap also changes the time.
    let moved = Row { idle_until: longer(long.idle_until), ..long.next_version() };
    hold(
        "a swap from the present version is made",
        kit.store.compare_and_swap(1, &moved).await? == Swap::Done,
        (),
    )?;
    kit.store.purge(longer(short.purge_after())).await?;
    let found = loaded(kit, short.session).await?;
    hold("a row is purged after its time", found.is_none(), &found)?;
    let listed: Vec<u64> = kit.store.list(subject).await?.iter().map(Row::version).collect();
    hold("a row with a later time after a swap is kept until then", listed == [2], listed)?;
    kit.store.purge(longer(moved.purge_after())).await?;
    let listed = kit.store.list(subject).await?;
    hold("a purged row is not listed", listed.is_empty(), &listed)?;
    let epoch = kit.store.epoch(subject).await?;
    hold("an epoch is kept when its last row is purged", epoch == 1, epoch)
}

async fn purging_ended<S: Store>(kit: &Kit<'_, S>) -> Result<(), Violation> {
    let living = row(kit, &Login::new(kit.subject()?))?;
    let ended = ended(&living);
    hold("a new row is inserted", kit.store.insert(&living).await? == Swap::Done, ())?;
    let swap = kit.store.compare_and_swap(living.version, &ended).await?;
    hold("a swap from the present version is made", swap == Swap::Done, swap)?;
    kit.store.purge(ended.purge_after()).await?;
    let found = loaded(kit, ended.session).await?;
    hold("an ended row is kept until its time", found.is_some(), ())?;
    kit.store.purge(ended.purge_after().saturating_add(Duration::from_secs(1))).await?;
    let found = loaded(kit, ended.session).await?;
    hold("a row is purged sooner once it was ended", found.is_none(), &found)
}
