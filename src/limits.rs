//! Limits on the size of a token, with the reason for each number.

/// Limits on the size of a token. A verifier checks the size of the whole token, of its header and of its signature before it
/// allocates memory for them, and the other limits while it reads.
///
/// The defaults are far above the size of real tokens, and far below a size that could harm a server. Each limit can be raised,
/// except the depth, because it also keeps claims types from exhausting the stack.
///
/// # Examples
///
/// ```
/// use countersign::Limits;
///
/// let limits = Limits::new().with_token_bytes(8 * 1024).with_members(64);
/// assert_eq!((limits.token_bytes(), limits.header_bytes()), (8192, 16384));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) token_bytes: usize,
    pub(crate) header_bytes: usize,
    pub(crate) key_id_bytes: usize,
    pub(crate) depth: usize,
    pub(crate) members: usize,
    pub(crate) audiences: usize,
}

impl Limits {
    /// The largest depth that can be set. It is the recursion limit of `serde_json`, which protects the stack while claims are
    /// read into a recursive type such as a JSON value.
    pub const MAX_DEPTH: usize = 128;

    /// Returns the default limits.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            // Web servers refuse header lines above 8 to 64 KiB, but documents signed as JWS are longer. 256 KiB are hashed in
            // about 0.2 ms. A header full of escapes takes 0.1 ms more. That is the most work that one request can cause with
            // a bad HMAC.
            token_bytes: 256 * 1024,
            // An `x5c` chain of four RSA certificates takes about 8 KiB.
            header_bytes: 16 * 1024,
            // Real key ids are thumbprints, UUIDs or URLs under 200 bytes.
            key_id_bytes: 1024,
            depth: Self::MAX_DEPTH,
            // Names are compared with each other to find duplicates. Real claims have under 100 names.
            members: 4096,
            // Entries are service names. 16,384 of them fill a token of the default limit.
            audiences: 16_384,
        }
    }

    /// Limits the length of the whole token in bytes. The default is 256 KiB. Values above 1 GiB are clamped to it.
    #[must_use]
    pub const fn with_token_bytes(mut self, bytes: usize) -> Self {
        // Positions in a token are stored in 32 bits.
        self.token_bytes = if bytes < 1 << 30 { bytes } else { 1 << 30 };
        self
    }

    /// Limits the length of the encoded header in bytes. The default is 16 KiB.
    #[must_use]
    pub const fn with_header_bytes(mut self, bytes: usize) -> Self {
        self.header_bytes = bytes;
        self
    }

    /// Limits the length of a key id in bytes. The default is 1 KiB.
    #[must_use]
    pub const fn with_key_id_bytes(mut self, bytes: usize) -> Self {
        self.key_id_bytes = bytes;
        self
    }

    /// Limits the nesting of JSON objects and arrays. The outermost object counts as one level. The default is
    /// [`MAX_DEPTH`](Self::MAX_DEPTH). Larger values are clamped to it.
    #[must_use]
    pub const fn with_depth(mut self, levels: usize) -> Self {
        self.depth = if levels < Self::MAX_DEPTH { levels } else { Self::MAX_DEPTH };
        self
    }

    /// Limits the number of names at the top of the claims and of the header. The default is 4,096. A header may never have
    /// more than 64.
    #[must_use]
    pub const fn with_members(mut self, count: usize) -> Self {
        self.members = count;
        self
    }

    /// Limits the number of entries of `aud`. The default is 16,384.
    #[must_use]
    pub const fn with_audiences(mut self, count: usize) -> Self {
        self.audiences = count;
        self
    }

    /// Returns the limit for the length of the whole token, in bytes.
    #[must_use]
    pub const fn token_bytes(&self) -> usize {
        self.token_bytes
    }

    /// Returns the limit for the length of the encoded header, in bytes.
    #[must_use]
    pub const fn header_bytes(&self) -> usize {
        self.header_bytes
    }

    /// Returns the limit for the length of a key id, in bytes.
    #[must_use]
    pub const fn key_id_bytes(&self) -> usize {
        self.key_id_bytes
    }

    /// Returns the limit for the nesting of JSON objects and arrays. The outermost object counts as one level.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the limit for the number of names at the top of the header or the claims.
    #[must_use]
    pub const fn members(&self) -> usize {
        self.members
    }

    /// Returns the limit for the number of entries of `aud`.
    #[must_use]
    pub const fn audiences(&self) -> usize {
        self.audiences
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}
