//! Kills a server with SQLite again and again in the middle of its writes: all confirmed writes are still there.

use countersign::{HmacKey, SecretBytes};
use countersign_session::{Binding, Config, Exchange, Login, MasterKeys, Sessions};
use session_stores::SqliteStore;
use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const SERVER: &str = "--serve-until-killed";
const KILLS: usize = 20;
/// The number of concurrent clients.
const CLIENTS: usize = 8;
/// The number of answers before the first kill. Each kill adds one.
const ANSWERS: usize = 40;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match &arguments[1..] {
        [flag, path] if flag == SERVER => serve(path.as_ref()),
        // `cargo test` may pass arguments, such as a name filter.
        _ => kill_again_and_again(),
    }
}

#[tokio::main]
async fn serve(path: &Path) {
    let sessions = sessions(path);
    let client = async |number: usize| {
        let mut grant = sessions.login(&Login::new(format!("subject {number}"))).await.unwrap();
        loop {
            let text = grant.refresh_token().expose_secret();
            // In one write, so that only the kill can cut a line off.
            std::io::stdout().write_all(format!("{number} {text}\n").as_bytes()).unwrap();
            grant = sessions.refresh(text, &Binding::None).await.unwrap();
        }
    };
    let clients: [_; CLIENTS] = std::array::from_fn(client);
    let [a, b, c, d, e, f, g, h] = clients;
    tokio::join!(a, b, c, d, e, f, g, h);
}

#[tokio::main]
async fn kill_again_and_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let mut answers = 0;
    for kill in 0..KILLS {
        let last = answers_until_killed(&path, ANSWERS + kill);
        let sessions = sessions(&path);
        for (number, (count, text)) in &last {
            // The last token that the client received. Its successor may exist without having arrived.
            let grant = sessions.refresh(text, &Binding::None).await.unwrap();
            assert_eq!(grant.subject(), format!("subject {number}"));
            assert_eq!(grant.row().generation(), *count as u64 + 1, "one step for each answer");
            assert!(matches!(grant.exchange(), Exchange::Rotated | Exchange::Replayed));
            answers += count;
        }
        // No session was lost, and none exists twice.
        for number in 0..CLIENTS {
            let subject = format!("subject {number}");
            let living = sessions.list(&subject).await.unwrap().len();
            assert!(living == 1 || (living == 0 && !last.contains_key(&number)), "{subject}: {living}");
            sessions.revoke_all(&subject).await.unwrap();
        }
    }
    println!("{KILLS} kills, {answers} answers, none lost");
}

/// Returns for each client how many tokens it received, and the last one.
fn answers_until_killed(path: &Path, answers: usize) -> HashMap<usize, (usize, String)> {
    let mut server = Command::new(env::current_exe().unwrap())
        .arg(SERVER)
        .arg(path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut last: HashMap<usize, (usize, String)> = HashMap::new();
    let mut note = |line: String| {
        let (number, text) = line.split_once(' ').unwrap();
        let (count, latest) = last.entry(number.parse().unwrap()).or_default();
        (*count, *latest) = (*count + 1, text.into());
    };
    lines.by_ref().take(answers).for_each(|line| note(line.unwrap()));
    server.kill().unwrap();
    // Answers given before the kill count as well.
    for line in lines {
        note(line.unwrap());
    }
    server.wait().unwrap();
    last
}

fn sessions(path: &Path) -> Sessions<SqliteStore> {
    let config = Config::builder("https://auth.example", "https://api.example").build().unwrap();
    let keys = MasterKeys::new(1, [7; 32]).unwrap();
    let key = HmacKey::hs256(&SecretBytes::from_bytes([8; 32])).unwrap();
    Sessions::new(config, keys, key, SqliteStore::open(path).unwrap()).unwrap()
}
