//! Law: only issued texts are accepted as refresh tokens, and none with a changed byte; only the bytes of a row are read as a
//! row; and for any row from a store, the machine answers, and writes over that row or not at all.
#![no_main]

use countersign::{Entropy, EntropyError, UnixTime};
use countersign_session::{
    Binding, Config, Grace, Loaded, Login, Machine, MasterKeys, Randomness, Refusal, Row,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use std::time::Duration;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

struct Fixed(u8);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0);
        Ok(())
    }
}

static MACHINE: LazyLock<Machine> = LazyLock::new(|| {
    let grace = Grace::UntilSuccessorUsed { cap: Duration::from_secs(8 * 3600) };
    let config = Config::builder("https://auth.example", "https://api.example").grace(grace);
    Machine::new(config.build().unwrap(), MasterKeys::new(1, b"a secret the fuzzer does not know").unwrap())
});

/// A token of the first generation, its row, and a token of the second generation.
static ISSUED: LazyLock<(String, Row, String)> = LazyLock::new(|| {
    let step = MACHINE.login(&Login::new("ann"), 0, NOW, &random(7)).unwrap();
    let (row, first) =
        (step.write.unwrap().row, step.reply.unwrap().refresh_token().expose_secret().to_owned());
    let token = MACHINE.authenticate(&first).unwrap();
    let step = MACHINE.refresh(&token, Some(&Loaded::new(row.clone(), 0)), &Binding::None, NOW, &random(8));
    (first, row, step.reply.unwrap().refresh_token().expose_secret().to_owned())
});

fn random(byte: u8) -> Randomness {
    Randomness::draw(&Fixed(byte)).unwrap()
}

fuzz_target!(|data: &[u8]| {
    let (first, own, second) = &*ISSUED;
    if let Ok(text) = core::str::from_utf8(data) {
        let issued = text == first || text == second;
        match MACHINE.authenticate(text) {
            Ok(token) => assert!(issued && token.generation() == if text == first { 1 } else { 2 }),
            Err(error) => {
                let refusal = error.refusal().unwrap();
                assert!(!issued && refusal.to_string().is_ascii());
                assert!(matches!(refusal, Refusal::Forged | Refusal::Malformed | Refusal::UnknownKey));
            }
        }
    }
    // A place, and a byte to write there.
    if let [place, byte, ..] = data
        && byte.is_ascii()
    {
        let mut changed = first.clone().into_bytes();
        let place = usize::from(*place) % changed.len();
        if changed[place] != *byte {
            changed[place] = *byte;
            assert!(MACHINE.authenticate(core::str::from_utf8(&changed).unwrap()).is_err());
        }
    }
    if let Ok(row) = Row::from_bytes(data) {
        assert_eq!(row.to_bytes(), data);
    }
    any_row(data, first, second, own);
});

/// Tries input from a broken store, or from one that an attacker writes to: the time, the epoch, and a row of this session.
fn any_row(data: &[u8], first: &str, second: &str, own: &Row) {
    let Some((head, bytes)) = data.split_first_chunk::<16>() else { return };
    let (now, epoch) = head.split_at(8);
    let now = UnixTime::from_secs(i64::from_be_bytes(now.try_into().unwrap()));
    let epoch = u64::from_be_bytes(epoch.try_into().unwrap());
    let mut bytes = bytes.to_vec();
    if let Some(session) = bytes.get_mut(1..17) {
        session.copy_from_slice(own.session_id().as_bytes());
    }
    let Ok(row) = Row::from_bytes(&bytes) else { return };
    let loaded = Loaded::new(row, epoch);
    for (text, generation) in [(first, 1), (second, 2)] {
        let token = MACHINE.authenticate(text).unwrap();
        let step = MACHINE.refresh(&token, Some(&loaded), &Binding::fingerprint("x"), now, &random(9));
        if let Some(write) = &step.write {
            assert_eq!(write.replaces, Some(loaded.row().version()));
            assert!(write.row.version() > loaded.row().version());
            // A written row can be read again, as long as there is a next version.
            let read = Row::from_bytes(&write.row.to_bytes());
            assert!(read.is_ok_and(|read| read == write.row) || write.row.version() == u64::MAX);
            assert_eq!(write.row.session_id(), loaded.row().session_id());
            assert!(write.row.revoked().is_none() == step.reply.is_ok());
        }
        if let Ok(grant) = &step.reply {
            assert!(loaded.row().revoked().is_none() && loaded.row().generation() <= generation + 1);
            assert!(
                grant.access_expires_at() > now && grant.access_expires_at() <= grant.row().access_until()
            );
        }
    }
    let _ = MACHINE.revoke(loaded.row(), countersign_session::Reason::Logout, now);
}
