//! A real server: a process with its own folder, on a port that the system chooses.

use crate::store::TestStore;
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_auth-server");
const LOG: &str = "log";
pub const ADMIN: &str = "administrator";

/// A folder that is deleted when its owner is dropped.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("auth-server-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A process that has logged its address.
pub struct Process {
    child: Child,
    pub address: SocketAddr,
    log: PathBuf,
}

impl Process {
    /// Starts a program with these variables and no others. Its log is a file, so that all log lines of a request are there as
    /// soon as the answer is.
    #[track_caller]
    pub fn start(program: &str, variables: &[(String, String)], log: PathBuf) -> Self {
        let mut child = Command::new(program)
            .env_clear()
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while Instant::now() < deadline && child.try_wait().unwrap().is_none() {
            if let Some(address) = address(&log) {
                return Self { child, address, log };
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("{program} did not start: {}", std::fs::read_to_string(log).unwrap());
    }

    /// Kills the process without a warning.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Stops the process as an administrator does.
    pub fn terminate(&mut self) -> ExitStatus {
        self.ask_to_stop();
        self.child.wait().unwrap()
    }

    /// Asks the server to stop. Returns when the server has received the signal.
    pub fn ask_to_stop(&self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        let deadline = Instant::now() + Duration::from_secs(30);
        while !self.log().contains("stopping") {
            assert!(Instant::now() < deadline, "it does not stop");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns the address of the server, once it is in the log.
fn address(log: &Path) -> Option<SocketAddr> {
    let text = std::fs::read_to_string(log).ok()?;
    let event = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let event = event.into_iter().find(|event| event["fields"]["message"] == "listening")?;
    event["fields"]["address"].as_str()?.parse().ok()
}

/// An authentication server.
pub struct Server {
    process: Process,
    /// The database of the server.
    pub store: TestStore,
    folder: Folder,
    variables: Vec<(String, String)>,
}

impl Server {
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with these settings in addition to, or instead of, the usual ones of the tests.
    #[track_caller]
    pub fn start_with(settings: &[(&str, &str)]) -> Self {
        let folder = Folder::new();
        let store = TestStore::new(folder.path());
        let url = store.url();
        let usual = [
            ("AUTH_LISTEN", "127.0.0.1:0"),
            ("AUTH_LOG", "json"),
            ("AUTH_DATA", folder.path().to_str().unwrap()),
            ("AUTH_ORIGINS", crate::client::ORIGIN),
            ("AUTH_DATABASE", &url),
            ("AUTH_ISSUER", "https://auth.example"),
            ("AUTH_ATTEMPTS_PER_MINUTE", "100000"),
            ("AUTH_ADMIN_NAME", ADMIN),
            ("AUTH_ADMIN_PASSWORD", crate::client::PASSWORD),
        ];
        let usual = usual.iter().filter(|(name, _)| settings.iter().all(|(other, _)| other != name));
        let variables: Vec<_> =
            usual.chain(settings).map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let process = Process::start(PROGRAM, &variables, folder.path().join(LOG));
        Self { process, store, folder, variables }
    }

    /// Starts the same server again, on another port, because browsers identify it by its name.
    #[track_caller]
    pub fn restart(&mut self) {
        self.process.kill();
        self.process = Process::start(PROGRAM, &self.variables, self.folder.path().join(LOG));
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    pub fn terminate(&mut self) -> ExitStatus {
        self.process.terminate()
    }

    pub fn ask_to_stop(&self) {
        self.process.ask_to_stop();
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.process.child.wait().unwrap()
    }

    /// Starts an application server that has only this key file of the server.
    #[track_caller]
    pub fn application(&self, key: &str) -> Application {
        let folder = Folder::new();
        let copy = folder.path().join("key");
        std::fs::copy(self.folder().join(key), &copy).unwrap();
        Application::start(copy.to_str().unwrap(), folder)
    }

    /// Starts an application server that fetches the published keys.
    #[track_caller]
    pub fn following_application(&self) -> Application {
        Application::start(&format!("http://{}/.well-known/jwks.json", self.address()), Folder::new())
    }

    pub fn address(&self) -> SocketAddr {
        self.process.address
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Counts the events of this kind in the audit log.
    pub fn events(&self, kind: &str) -> usize {
        let log = self.log();
        let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["fields"]["kind"] == kind).count()
    }
}

/// An application server.
pub struct Application {
    process: Process,
    _folder: Folder,
}

impl Application {
    #[track_caller]
    pub fn start(key: &str, folder: Folder) -> Self {
        let variables = [
            ("APP_LISTEN", "127.0.0.1:0"),
            ("APP_LOG", "json"),
            ("APP_KEY", key),
            ("APP_ISSUER", "https://auth.example"),
        ];
        let variables = variables.map(|(name, value)| (name.to_string(), value.to_string()));
        let program = env!("CARGO_BIN_EXE_app-server");
        let process = Process::start(program, &variables, folder.path().join(LOG));
        Self { process, _folder: folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.process.address
    }
}
