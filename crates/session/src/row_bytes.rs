//! A row as bytes: format version 1, big-endian, each text after its length.

use crate::binding::Binding;
use crate::error::{Reason, StoreError};
use crate::id::SessionId;
use crate::row::{Maker, Row};
use alloc::string::String;
use alloc::vec::Vec;
use countersign::UnixTime;

const VERSION: u8 = 1;
/// The size of all fields of fixed length, including the longest binding.
const FIXED: usize = 256;

impl Row {
    /// Writes the row as bytes, for a column of a store. Newer versions of this crate will read them.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let texts = [&self.subject, &self.label, &self.scope, &self.client];
        let length = texts.iter().fold(FIXED, |sum, text| sum.saturating_add(text.len()));
        let mut out = Vec::with_capacity(length);
        out.push(VERSION);
        out.extend_from_slice(self.session.as_bytes());
        for number in [self.version, self.subject_epoch, self.generation] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        for maker in [&self.present, &self.previous] {
            out.extend_from_slice(&maker.kid.to_be_bytes());
            out.extend_from_slice(&maker.salt);
        }
        let times =
            [self.created_at, self.rotated_at, self.idle_until, self.absolute_until, self.access_until];
        for time in times {
            out.extend_from_slice(&time.as_secs().to_be_bytes());
        }
        let (kind, hash) = match &self.binding {
            Binding::None => (0, &[][..]),
            Binding::Fingerprint(hash) => (1, &hash[..]),
            Binding::KeyThumbprint(hash) => (2, &hash[..]),
        };
        out.push(kind);
        out.extend_from_slice(hash);
        match self.revoked {
            None => out.push(0),
            Some((at, reason)) => {
                out.push(number_of(reason));
                out.extend_from_slice(&at.as_secs().to_be_bytes());
            }
        }
        for text in texts {
            // Login limits the length of texts to far less.
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            out.extend_from_slice(&length.to_be_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out
    }

    /// Reads a row from bytes that [`to_bytes`](Self::to_bytes) has written.
    ///
    /// # Errors
    ///
    /// [`StoreError`] for any other bytes, with the code `malformed_row` or `unknown_row_version`. A store should return this
    /// error, so that no session ends.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => Reader(rest).row().ok_or(StoreError::malformed_row()),
            Some(_) => Err(StoreError::unknown_row_version()),
            None => Err(StoreError::malformed_row()),
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn row(mut self) -> Option<Row> {
        let session = SessionId::from_bytes(self.array()?);
        let (version, subject_epoch, generation) = (self.number()?, self.number()?, self.number()?);
        let (present, previous) = (self.maker()?, self.maker()?);
        let (created_at, rotated_at) = (self.time()?, self.time()?);
        let (idle_until, absolute_until, access_until) = (self.time()?, self.time()?, self.time()?);
        let binding = match self.byte()? {
            0 => Binding::None,
            1 => Binding::Fingerprint(self.array()?),
            2 => Binding::KeyThumbprint(self.array()?),
            _ => return None,
        };
        let revoked = match self.byte()? {
            0 => None,
            number => Some((reason_of(number)?, self.time()?)).map(|(reason, at)| (at, reason)),
        };
        let (subject, label) = (self.text()?, self.text()?);
        let (scope, client) = (self.text()?, self.text()?);
        // Both count from 1. The largest number has no successor, so two writers could not be told apart.
        let counts = |number: u64| number > 0 && number < u64::MAX;
        let whole = self.0.is_empty() && counts(version) && counts(generation) && !subject.is_empty();
        whole.then_some(Row {
            session,
            version,
            subject,
            label,
            scope,
            client,
            subject_epoch,
            generation,
            present,
            previous,
            created_at,
            rotated_at,
            idle_until,
            absolute_until,
            access_until,
            binding,
            revoked,
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (front, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*front)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn number(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn time(&mut self) -> Option<UnixTime> {
        self.array().map(i64::from_be_bytes).map(UnixTime::from_secs)
    }

    fn maker(&mut self) -> Option<Maker> {
        Some(Maker { kid: self.array().map(u32::from_be_bytes)?, salt: self.array()? })
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.array().map(u32::from_be_bytes)?).ok()?;
        let (text, rest): (&'a [u8], _) = self.0.split_at_checked(length)?;
        self.0 = rest;
        core::str::from_utf8(text).ok().map(String::from)
    }
}

/// Returns the number of a reason. The numbers never change, because stored rows contain them. 0 is "not revoked".
const fn number_of(reason: Reason) -> u8 {
    match reason {
        Reason::BindingMismatch => 1,
        Reason::Evicted => 2,
        Reason::Logout => 3,
        Reason::Reuse => 4,
        Reason::Revoked => 5,
        Reason::Rollback => 6,
    }
}

const fn reason_of(number: u8) -> Option<Reason> {
    Some(match number {
        1 => Reason::BindingMismatch,
        2 => Reason::Evicted,
        3 => Reason::Logout,
        4 => Reason::Reuse,
        5 => Reason::Revoked,
        6 => Reason::Rollback,
        _ => return None,
    })
}
