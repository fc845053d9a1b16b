//! The configuration: environment variables that begin with `AUTH_`, each with a default that works on one machine.

use countersign::http::AllowedOrigins;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// What the server is told from outside.
#[derive(Debug)]
pub struct Config {
    /// `AUTH_LISTEN`.
    pub listen: SocketAddr,
    /// `AUTH_ISSUER`: `iss` of the access tokens.
    pub issuer: String,
    /// `AUTH_AUDIENCE`: their `aud`.
    pub audience: String,
    /// `AUTH_ORIGINS`: whose pages may use the cookies, with commas between them.
    pub origins: AllowedOrigins,
    /// `AUTH_ALGORITHM`.
    pub algorithm: SigningAlgorithm,
    /// `AUTH_DATA`: the folder of the keys and of the SQLite file.
    pub data: PathBuf,
    /// `AUTH_DATABASE`.
    pub database: DatabaseUrl,
    /// `AUTH_DATABASE_TIMEOUT_MS`: how long each wait for the database may last; then the answer is a 503.
    pub database_timeout: Duration,
    /// `AUTH_ADMIN_NAME` and `AUTH_ADMIN_PASSWORD`: a user with the role `admin`, made at the start if it is not there.
    pub admin: Option<(String, Secret)>,
    /// `AUTH_ATTEMPTS_PER_MINUTE`: logins and registrations from one address.
    pub attempts_per_minute: NonZeroU32,
    /// `AUTH_ACCESS_SECONDS`, `AUTH_IDLE_SECONDS`, `AUTH_ABSOLUTE_SECONDS`.
    pub lifetimes: Lifetimes,
    /// `AUTH_GRACE_SECONDS`: for how long an exchanged refresh token gives its successor once more; 0 is never.
    pub grace: Duration,
    /// `AUTH_SESSIONS_PER_USER`: the oldest ends when there are more.
    pub sessions_per_user: usize,
    /// `AUTH_BIND`.
    pub bind: Bind,
    /// `AUTH_LOG`.
    pub log: LogFormat,
}

/// How long things live.
#[derive(Clone, Copy, Debug)]
pub struct Lifetimes {
    /// An access token.
    pub access: Duration,
    /// A session that is not used.
    pub idle: Duration,
    /// Any session.
    pub absolute: Duration,
}

/// Which keys sign access tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// A secret that the application servers have too.
    Hs256,
    /// A private key; the application servers have the public one.
    Rs256,
}

/// What sessions and their tokens are bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// A second cookie: a token that was read out of a page is worth nothing without it. Application servers have to be
    /// on the same host, behind a proxy or on another port, since no other host gets the cookie.
    Cookie,
    /// Nothing.
    Nothing,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// A JSON object on each line.
    Json,
    /// For people.
    Text,
}

/// Where users and sessions are kept. `Debug` does not show it: there may be a password in it.
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

/// What is wrong with a variable, and what would be right. Never says its value.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The value cannot be used.
    #[error("{name}: {expected} is expected")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
    /// Only one of two that belong together is set.
    #[error("{name}: needs {other} beside it")]
    Lonely {
        /// The one that is set.
        name: &'static str,
        /// The one that is not.
        other: &'static str,
    },
    /// No such variable exists; a slip would otherwise go unnoticed.
    #[error("{name}: there is no such setting; there are {}", NAMES.join(", "))]
    Unknown {
        /// The variable.
        name: String,
    },
}

const NAMES: [&str; 18] = [
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
    "AUTH_SESSIONS_PER_USER",
];

impl Config {
    /// Reads the process's environment.
    pub fn from_environment() -> Result<Self, ConfigError> {
        let ours = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("AUTH_"))?;
            // What is not UTF-8 fits no setting, and is refused as such.
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
        // As browsers spell it: without the port that http has by itself.
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

    /// The value, or what stands for it when it is not set. Set to nothing is a mistake.
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

    /// One of a few words; the first if it is not set.
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
