//! Users: a unique name, a role, and the hash of a password.

use serde::{Deserialize, Serialize};

/// A user as the database has it.
#[derive(Clone)]
pub struct User {
    /// The user's id in tokens. It is never given to another user, even if the name is.
    pub id: String,
    /// The name.
    pub name: Name,
    /// What the user may do.
    pub role: Role,
    /// The Argon2id hash of the password.
    pub password_hash: String,
}

/// What a user may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything.
    Admin,
    /// The user's own data.
    User,
}

impl Role {
    /// Returns the role as the database has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
        }
    }

    /// Reads the role from the database's text.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Admin, Self::User].into_iter().find(|role| role.as_str() == text)
    }
}

/// 3 to 32 ASCII letters, digits, dots, hyphens and underscores, in lower case, so that `Ann` and `ann` are the same name.
///
/// Letters of other scripts look similar and would let one user pass for another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// Checks a name.
    pub fn new(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        let is_name = (3..=32).contains(&text.len()) && text.bytes().all(allowed);
        is_name.then(|| Self(text.to_ascii_lowercase()))
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The claims of access tokens in addition to those of their session.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The user's name.
    pub name: String,
    /// The user's role when the token was signed. The next exchange reads it again.
    pub role: Role,
}

impl From<&User> for Claims {
    fn from(user: &User) -> Self {
        Self { name: user.name.0.clone(), role: user.role }
    }
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_name_is_in_lower_case_and_of_few_characters() {
        assert_eq!(Name::new("Ann.B-1_").unwrap().as_str(), "ann.b-1_");
        let long = "a".repeat(33);
        for text in
            ["", "ab", "ann b", "ann'--", "änn", "ann\0", "аnn", "ann\u{200b}", "ann;", "ann\"", &long]
        {
            assert_eq!(Name::new(text), None, "{text:?}");
        }
    }
}
