//! How much a token may hold, and where each number comes from.

/// What a verifier refuses for its size alone: the whole token, its header and its signature before it allocates anything for
/// them, the rest while it reads.
///
/// The defaults are far above real tokens and far below what could hurt a server. Each limit can be raised, except the depth,
/// which also keeps claims types from exhausting the stack.
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
    /// The deepest nesting that can be asked for: the recursion limit of `serde_json`, which protects the stack
    /// while claims are read into a recursive type such as a JSON value.
    pub const MAX_DEPTH: usize = 128;

    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            // Web servers refuse header lines above 8 to 64 KiB; documents signed as JWS are longer. 256 KiB
            // is hashed in about 0.2 ms, so that is the most work one request can ask for.
            token_bytes: 256 * 1024,
            // An `x5c` chain of four RSA certificates takes about 8 KiB.
            header_bytes: 16 * 1024,
            // Real key ids are thumbprints, UUIDs or URLs: under 200 bytes.
            key_id_bytes: 1024,
            depth: Self::MAX_DEPTH,
            // Names are compared with each other to find duplicates; real claims sets hold under 100.
            members: 4096,
            // Lists of service names; 16,384 of them fill the default token.
            audiences: 16_384,
        }
    }

    /// Length of the whole token in bytes. Default 256 KiB; 1 GiB at most, whatever is asked for.
    #[must_use]
    pub const fn with_token_bytes(mut self, bytes: usize) -> Self {
        // Places in a token are 32 bits wide.
        self.token_bytes = if bytes < 1 << 30 { bytes } else { 1 << 30 };
        self
    }

    /// Length of the encoded header in bytes. Default 16 KiB.
    #[must_use]
    pub const fn with_header_bytes(mut self, bytes: usize) -> Self {
        self.header_bytes = bytes;
        self
    }

    /// Length of a key id in bytes. Default 1 KiB.
    #[must_use]
    pub const fn with_key_id_bytes(mut self, bytes: usize) -> Self {
        self.key_id_bytes = bytes;
        self
    }

    /// Nesting of JSON objects and arrays, the outermost object counted. Default, and most that can be asked
    /// for, is [`MAX_DEPTH`](Self::MAX_DEPTH): larger values are clamped to it.
    #[must_use]
    pub const fn with_depth(mut self, levels: usize) -> Self {
        self.depth = if levels < Self::MAX_DEPTH { levels } else { Self::MAX_DEPTH };
        self
    }

    /// Names at the top of the claims. Default 4,096. Also those of the header, which may have 64 at most.
    #[must_use]
    pub const fn with_members(mut self, count: usize) -> Self {
        self.members = count;
        self
    }

    /// Entries of `aud`. Default 16,384.
    #[must_use]
    pub const fn with_audiences(mut self, count: usize) -> Self {
        self.audiences = count;
        self
    }

    /// Length of the whole token in bytes.
    #[must_use]
    pub const fn token_bytes(&self) -> usize {
        self.token_bytes
    }

    /// Length of the encoded header in bytes.
    #[must_use]
    pub const fn header_bytes(&self) -> usize {
        self.header_bytes
    }

    /// Length of a key id in bytes.
    #[must_use]
    pub const fn key_id_bytes(&self) -> usize {
        self.key_id_bytes
    }

    /// Nesting of JSON objects and arrays, the outermost object counted.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }

    /// Names at the top of the header or the claims.
    #[must_use]
    pub const fn members(&self) -> usize {
        self.members
    }

    /// Entries of `aud`.
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
