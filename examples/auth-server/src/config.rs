//! The configuration: environment variables that begin with `AUTH_`, each with a default that works on one machine.

use countersign::http::AllowedOrigins;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// The settings of the server.
#[derive(Debug)]
pub struct Config {
    /// `AUTH_LISTEN`.
    pub listen: SocketAddr,
    /// `AUTH_ISSUER`: `iss` of the access tokens.
    pub issuer: String,
    /// `AUTH_AUDIENCE`: their `aud`.
    pub audience: String,
    /// `AUTH_ORIGINS`: the sites with pages that may use the cookies, separated by commas.
    pub origins: AllowedOrigins,
    /// `AUTH_ALGORITHM`.
    pub algorithm: SigningAlgorithm,
    /// `AUTH_ROTATE_SECONDS`: how long a key signs before its successor is published. `None`: for ever.
    pub rotate_after: Option<Duration>,
    /// `AUTH_DATA`: the folder of the keys and of the SQLite file.
    pub data: PathBuf,
    /// `AUTH_DATABASE`.
    pub database: DatabaseUrl,
    /// `AUTH_DATABASE_TIMEOUT_MS`: the longest wait for the database; after it, the answer is a 503.
    pub database_timeout: Duration,
    /// `AUTH_ADMIN_NAME` and `AUTH_ADMIN_PASSWORD`: a user with the role `admin`, created at the start if it does not exist.
    pub admin: Option<(String, Secret)>,
    /// `AUTH_ATTEMPTS_PER_MINUTE`: logins and registrations from one address.
    pub attempts_per_minute: NonZeroU32,
    /// `AUTH_ACCESS_SECONDS`, `AUTH_IDLE_SECONDS`, `AUTH_ABSOLUTE_SECONDS`.
    pub lifetimes: Lifetimes,
    /// `AUTH_GRACE_SECONDS`: how long an exchanged refresh token returns its successor again; 0 means never.
    pub grace: Duration,
    /// `AUTH_SESSIONS_PER_USER`: the oldest ends when there are more.
    pub sessions_per_user: usize,
    /// `AUTH_BIND`.
    pub bind: Bind,
    /// `AUTH_LOG`.
    pub log: LogFormat,
}

/// Lifetimes.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// An access token.
    pub access: Duration,
    /// A session without use.
    pub idle: Duration,
    /// Any session.
    pub absolute: Duration,
}

/// The kind of key that signs access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// A secret that the application servers have too.
    Hs256,
    /// A private key; the application servers have the public one.
    Rs256,
}

/// The binding of sessions and their tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// A second cookie, so that a token read out of a page is worthless without it. Application servers must be on the same
    /// host, under a proxy or on another port, because no other host gets the cookie.
    Cookie,
    /// No binding.
    Nothing,
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A JSON object on each line.
    Json,
    /// Text for people.
    Text,
}

/// The place of users and sessions. `Debug` does not show it, because it may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `postgres://...`
    Postgres(String),
    /// `redis://...`
    Redis(String),
    /// `sqlite:PATH`
    Sqlite(PathBuf),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Postgres(_) => "Postgres(..)",
            Self::Redis(_) => "Redis(..)",
            Self::Sqlite(_) => "Sqlite(..)",
        })
    }
}

/// A text that `Debug` does not show.
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What is wrong with a variable, and what would be right. It never holds the value.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The value is not valid.
    #[error("{name}: {expected} is expected")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What the variable should hold.
        expected: &'static str,
    },
    /// Only one of two variables that belong together is set.
    #[error("{name}: needs {other} too")]
    Lonely {
        /// The variable that is set.
        name: &'static str,
        /// The variable that is missing.
        other: &'static str,
    },
    /// The variable is unknown. Without this error, a typo would go unnoticed.
    #[error("{name}: there is no such setting; the settings are {}", NAMES.join(", "))]
    Unknown {
        /// The variable.
        name: String,
    },
}

const NAMES: [&str; 19] = [
    "AUTH_ABSOLUTE_SECONDS",
    "AUTH_ACCESS_SECONDS",
    "AUTH_ADMIN_NAME",
    "AUTH_ADMIN_PASSWORD",
    "AUTH_ALGORITHM",
    "AUTH_ATTEMPTS_PER_MINUTE",
    "AUTH_AUDIENCE",
    "AUTH_BIND",
    "AUTH_DATA",
    "AUTH_DATABASE",
    "AUTH_DATABASE_TIMEOUT_MS",
    "AUTH_GRACE_SECONDS",
    "AUTH_IDLE_SECONDS",
    "AUTH_ISSUER",
    "AUTH_LISTEN",
    "AUTH_LOG",
    "AUTH_ORIGINS",
    "AUTH_ROTATE_SECONDS",
    "AUTH_SESSIONS_PER_USER",
];

impl Config {
    /// Reads the environment of the process.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("AUTH_"))?;
            // Text that is not UTF-8 matches no setting, and is refused.
            Some((name, value.into_string().unwrap_or_else(|_| "\0".into())))
        });
        Self::read(ours)
    }

    /// Reads these variables.
    pub fn read(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let variables = Variables(variables.into_iter().collect());
        variables.check_names()?;
        let listen: SocketAddr = variables.parsed(
            "AUTH_LISTEN",
            "an address and port such as 127.0.0.1:3000",
            "127.0.0.1:3000",
        )?;
        // As browsers write an origin: without the default port of http.
        let port = if listen.port() == 80 { String::new() } else { format!(":{}", listen.port()) };
        let here = ["localhost", "127.0.0.1"].map(|host| format!("http://{host}{port}"));
        let data = PathBuf::from(variables.text("AUTH_DATA", "auth-data")?);
        Ok(Self {
            issuer: variables.text("AUTH_ISSUER", &here[0])?,
            audience: variables.text("AUTH_AUDIENCE", "https://api.example")?,
            origins: variables.origins(&here)?,
            algorithm: variables.choice(
                "AUTH_ALGORITHM",
                "HS256 or RS256",
                &[("HS256", SigningAlgorithm::Hs256), ("RS256", SigningAlgorithm::Rs256)],
            )?,
            rotate_after: Some(variables.seconds("AUTH_ROTATE_SECONDS", "2592000")?)
                .filter(|seconds| !seconds.is_zero()),
            database: variables.database(&data)?,
            database_timeout: Duration::from_millis(variables.parsed(
                "AUTH_DATABASE_TIMEOUT_MS",
                "a number of milliseconds",
                "2000",
            )?),
            admin: variables.admin()?,
            attempts_per_minute: variables.parsed("AUTH_ATTEMPTS_PER_MINUTE", "a number from 1 up", "20")?,
            lifetimes: Lifetimes {
                access: variables.seconds("AUTH_ACCESS_SECONDS", "600")?,
                idle: variables.seconds("AUTH_IDLE_SECONDS", "1209600")?,
                absolute: variables.seconds("AUTH_ABSOLUTE_SECONDS", "5184000")?,
            },
            grace: variables.seconds("AUTH_GRACE_SECONDS", "60")?,
            sessions_per_user: variables.parsed("AUTH_SESSIONS_PER_USER", "a number", "50")?,
            bind: variables.choice(
                "AUTH_BIND",
                "cookie or nothing",
                &[("cookie", Bind::Cookie), ("nothing", Bind::Nothing)],
            )?,
            log: variables.choice(
                "AUTH_LOG",
                "text or json",
                &[("text", LogFormat::Text), ("json", LogFormat::Json)],
            )?,
            listen,
            data,
        })
    }
}

struct Variables(BTreeMap<String, String>);

impl Variables {
    fn check_names(&self) -> Result<(), ConfigError> {
        match self.0.keys().find(|name| !NAMES.contains(&name.as_str())) {
            Some(name) => Err(ConfigError::Unknown { name: name.clone() }),
            None => Ok(()),
        }
    }

    /// Returns the value, or the default if the variable is not set. An empty value is a mistake.
    fn text(&self, name: &'static str, default: &str) -> Result<String, ConfigError> {
        let value = self.0.get(name).map_or(default, String::as_str);
        if value.is_empty() || value.contains('\0') {
            return Err(ConfigError::Invalid { name, expected: "a text" });
        }
        Ok(value.into())
    }

    fn parsed<T: std::str::FromStr>(
        &self,
        name: &'static str,
        expected: &'static str,
        default: &str,
    ) -> Result<T, ConfigError> {
        self.text(name, default)?.parse().map_err(|_| ConfigError::Invalid { name, expected })
    }

    fn seconds(&self, name: &'static str, default: &str) -> Result<Duration, ConfigError> {
        self.parsed(name, "a number of seconds", default).map(Duration::from_secs)
    }

    fn origins(&self, here: &[String]) -> Result<AllowedOrigins, ConfigError> {
        let text = self.text("AUTH_ORIGINS", &here.join(","))?;
        AllowedOrigins::new(text.split(',').map(str::trim)).map_err(|_| ConfigError::Invalid {
            name: "AUTH_ORIGINS",
            expected: "a list such as https://app.example,http://localhost:3000, without paths,",
        })
    }

    /// Returns the chosen value of a few words; the first if the variable is not set.
    fn choice<T: Copy>(
        &self,
        name: &'static str,
        expected: &'static str,
        choices: &[(&str, T)],
    ) -> Result<T, ConfigError> {
        let text = self.text(name, choices[0].0)?;
        let chosen = choices.iter().find(|(word, _)| *word == text);
        chosen.map(|(_, choice)| *choice).ok_or(ConfigError::Invalid { name, expected })
    }

    fn database(&self, data: &std::path::Path) -> Result<DatabaseUrl, ConfigError> {
        let Some(url) = self.0.get("AUTH_DATABASE") else {
            return Ok(DatabaseUrl::Sqlite(data.join("auth.db")));
        };
        match url.split_once(':') {
            Some(("sqlite", path)) if !path.is_empty() => Ok(DatabaseUrl::Sqlite(path.into())),
            Some(("postgres" | "postgresql", _)) => Ok(DatabaseUrl::Postgres(url.clone())),
            Some(("redis" | "redis+unix" | "unix", _)) => Ok(DatabaseUrl::Redis(url.clone())),
            _ => Err(ConfigError::Invalid {
                name: "AUTH_DATABASE",
                expected: "sqlite:PATH, postgres://... or redis://...",
            }),
        }
    }

    fn admin(&self) -> Result<Option<(String, Secret)>, ConfigError> {
        const NAME: &str = "AUTH_ADMIN_NAME";
        const PASSWORD: &str = "AUTH_ADMIN_PASSWORD";
        match (self.0.get(NAME), self.0.get(PASSWORD)) {
            (None, None) => Ok(None),
            (Some(_), None) => Err(ConfigError::Lonely { name: NAME, other: PASSWORD }),
            (None, Some(_)) => Err(ConfigError::Lonely { name: PASSWORD, other: NAME }),
            (Some(name), Some(password)) => Ok(Some((name.clone(), Secret(password.clone())))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    #[test]
    fn without_any_variable_it_runs_on_this_machine() {
        let config = read(&[]).unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.issuer, "http://localhost:3000");
        assert_eq!(config.algorithm, SigningAlgorithm::Hs256);
        assert_eq!(config.database, DatabaseUrl::Sqlite("auth-data/auth.db".into()));
        assert_eq!(config.origins.check(["http://localhost:3000"], [""; 0]), Ok(()));
    }

    #[test]
    fn keys_are_replaced_each_month_or_never() {
        assert_eq!(read(&[]).unwrap().rotate_after, Some(Duration::from_secs(30 * 24 * 3600)));
        assert_eq!(read(&[("AUTH_ROTATE_SECONDS", "0")]).unwrap().rotate_after, None);
    }

    #[test]
    fn the_port_that_needs_no_saying_is_not_said() {
        let config = read(&[("AUTH_LISTEN", "127.0.0.1:80")]).unwrap();
        assert_eq!(config.issuer, "http://localhost");
        assert_eq!(config.origins.check(["http://127.0.0.1"], [""; 0]), Ok(()));
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_its_name_and_not_by_its_value() {
        for (name, value) in [
            ("AUTH_LISTEN", "localhost"),
            ("AUTH_ISSUER", ""),
            ("AUTH_ORIGINS", "https://app.example/"),
            ("AUTH_ORIGINS", "*"),
            ("AUTH_ALGORITHM", "none"),
            ("AUTH_DATABASE", "mysql://user:secret@host"),
            ("AUTH_DATABASE", "sqlite:"),
            ("AUTH_ATTEMPTS_PER_MINUTE", "0"),
            ("AUTH_ACCESS_SECONDS", "10m"),
            ("AUTH_GRACE_SECONDS", "-1"),
            ("AUTH_LOG", "xml"),
            ("AUTH_ROTATE_SECONDS", "monthly"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.to_string().starts_with(&format!("{name}: ")), "{error}");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_slip_in_a_name_does_not_go_unnoticed() {
        let error = read(&[("AUTH_ORIGIN", "https://app.example")]).unwrap_err();
        assert_eq!(error, ConfigError::Unknown { name: "AUTH_ORIGIN".into() });
    }

    #[test]
    fn an_administrator_has_a_name_and_a_password() {
        assert!(matches!(read(&[("AUTH_ADMIN_NAME", "root")]), Err(ConfigError::Lonely { .. })));
        assert!(matches!(read(&[("AUTH_ADMIN_PASSWORD", "x")]), Err(ConfigError::Lonely { .. })));
        assert!(read(&[("AUTH_ADMIN_NAME", "root"), ("AUTH_ADMIN_PASSWORD", "x")]).unwrap().admin.is_some());
    }

    #[test]
    fn no_secret_shows_in_a_log() {
        let config = read(&[
            ("AUTH_DATABASE", "postgres://user:hidden@host/db"),
            ("AUTH_ADMIN_NAME", "root"),
            ("AUTH_ADMIN_PASSWORD", "hidden"),
        ]);
        assert!(!format!("{:?}", config.unwrap()).contains("hidden"));
    }
}
