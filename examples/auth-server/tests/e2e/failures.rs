//! Known ways in which refresh tokens log users out by mistake, or let thieves in: each has a test.

use crate::client::{Browser, Request, Response};
use crate::server::Server;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Returns the refresh token that an answer sets.
fn refresh_cookie(response: &Response) -> String {
    let cookie = response.set_cookies().find_map(|cookie| cookie.strip_prefix("__Host-refresh="));
    cookie.and_then(|cookie| cookie.split(';').next()).expect("a refresh token").to_owned()
}

/// Returns the answers to one request that this many tabs send at once.
fn at_once(tabs: usize, request: &Request, address: SocketAddr) -> Vec<Response> {
    let start = Barrier::new(tabs);
    std::thread::scope(|scope| {
        let tabs: Vec<_> = (0..tabs)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    request.send(address)
                })
            })
            .collect();
        tabs.into_iter().map(|tab| tab.join().unwrap()).collect()
    })
}

#[test]
fn tabs_that_refresh_at_once_all_stay_logged_in_with_one_successor() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    for _ in 0..5 {
        let answers = at_once(8, &browser.refresh_request(), browser.address);
        let mut successors = BTreeSet::new();
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}", answer.body);
            successors.insert(refresh_cookie(answer));
            // Each access token is valid, also that of the loser.
            let mut tab = browser.clone();
            tab.keep(answer);
            assert_eq!(tab.api_status(), 200);
        }
        assert_eq!(successors.len(), 1);
        browser.keep(&answers[0]);
    }
    assert_eq!(server.events("rotated"), 5);
    browser.assert_refresh();
}

#[test]
fn the_loser_of_a_race_never_clears_the_cookie_of_the_winner() {
    // Without grace, all but one of the tabs are refused.
    let server = Server::start_with(&[("AUTH_GRACE_SECONDS", "0")]);
    let browser = Browser::of_new_user(server.address(), "ann");
    let answers = at_once(8, &browser.refresh_request(), browser.address);
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        // `refusal` checks that there are no cookies.
        assert_eq!(answer.refusal(), (400, "invalid_grant".into()));
    }
}

#[test]
fn no_refusal_of_a_refresh_touches_a_cookie() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let with = |name: &str, value: Option<&str>| {
        let mut browser = browser.clone();
        match value {
            Some(value) => browser.cookies.insert(name.into(), value.into()),
            None => browser.cookies.remove(name),
        };
        browser.refresh().refusal()
    };
    assert_eq!(with("__Host-refresh", None), (400, "missing_refresh_token".into()));
    assert_eq!(with("__Host-refresh", Some("garbage")), (400, "invalid_grant".into()));
    assert_eq!(with("__Host-refresh", Some("")), (400, "malformed_cookie".into()));
    assert_eq!(with("__Host-fingerprint", None), (400, "invalid_grant".into()));
    let foreign = Request::new("POST", "/token/refresh")
        .header("Origin", "https://evil.example")
        .header("Cookie", browser.cookie_header());
    assert_eq!(foreign.send(browser.address).refusal(), (403, "foreign_origin".into()));
    browser.assert_refresh();
}

#[test]
fn a_lost_answer_is_given_once_more() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let request = browser.refresh_request();
    let lost = request.send(browser.address);
    // The answer was lost, so the browser asks again with its old token. It does so twice.
    for _ in 0..2 {
        let again = request.send(browser.address);
        assert_eq!(again.status, 200, "{}", again.body);
        assert_eq!(refresh_cookie(&again), refresh_cookie(&lost));
        browser.keep(&again);
    }
    assert_eq!((server.events("rotated"), server.events("grace_replay")), (1, 2));
    browser.assert_refresh();
}

#[test]
fn a_client_that_hangs_up_before_the_answer_can_ask_again() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    for _ in 0..10 {
        drop(browser.refresh_request().start(browser.address).unwrap());
        browser.assert_refresh();
    }
}

#[test]
fn reuse_of_an_old_token_logs_out_that_device_and_no_other() {
    let server = Server::start();
    let mut robbed = Browser::of_new_user(server.address(), "ann");
    let mut phone = Browser::logged_in(server.address(), "ann");
    let mut bob = Browser::of_new_user(server.address(), "bob");
    let thief = robbed.clone();
    robbed.assert_refresh();
    robbed.assert_refresh();

    thief.clone().refresh().assert_refused(400, "invalid_grant");
    assert_eq!(server.events("reuse_detected"), 1);
    // The server cannot tell who is the thief, so both are logged out, and their access tokens are denied.
    robbed.clone().api("GET", "/").assert_refused(401, "denied");
    thief.clone().api("GET", "/").assert_refused(401, "denied");
    robbed.refresh().assert_refused(400, "invalid_grant");
    phone.assert_refresh();
    assert_eq!(phone.api_status(), 200);
    bob.assert_refresh();
}

#[test]
fn without_grace_the_second_use_of_a_token_is_reuse() {
    let server = Server::start_with(&[("AUTH_GRACE_SECONDS", "0")]);
    let mut robbed = Browser::of_new_user(server.address(), "ann");
    let thief = robbed.clone();
    robbed.assert_refresh();
    thief.clone().refresh().assert_refused(400, "invalid_grant");
    robbed.refresh().assert_refused(400, "invalid_grant");
    assert_eq!(server.events("reuse_detected"), 1);
}

#[test]
fn an_old_token_is_known_as_reused_however_many_came_after_it() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let first = browser.clone();
    for _ in 0..50 {
        browser.assert_refresh();
    }
    first.clone().refresh().assert_refused(400, "invalid_grant");
    assert_eq!(server.events("reuse_detected"), 1);
}

#[test]
fn random_garbage_and_forged_tokens_revoke_no_session() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let good = browser.refresh_token().to_owned();
    let mut forged: Vec<String> = ["", "v1.", "v2.AAAA", "null", "undefined", "%00", "..", "a.b.c"]
        .map(|text| format!("x{text}"))
        .into();
    // Another character at every place, one character less, and one more.
    for place in 0..good.len() {
        forged.push(changed(&good, place));
        forged.push(format!("{}{}", &good[..place], &good[place + 1..]));
    }
    forged.push(format!("{good}A"));
    forged.push(good.replace('.', "%2e"));
    for token in &forged {
        let mut thief = browser.clone();
        thief.cookies.insert("__Host-refresh".into(), token.clone());
        thief.refresh().assert_refused(400, "invalid_grant");
    }
    assert!(forged.len() > 150);
    for kind in ["reuse_detected", "revoked", "anomaly", "binding_mismatch"] {
        assert_eq!(server.events(kind), 0, "{kind}");
    }
    browser.assert_refresh();
    assert_eq!(browser.api_status(), 200);
}

/// Returns the token with another character at this place.
fn changed(token: &str, place: usize) -> String {
    let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
    format!("{}{other}{}", &token[..place], &token[place + 1..])
}

#[test]
fn a_wrong_fingerprint_ends_the_session_and_a_missing_one_only_refuses() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let other = Browser::logged_in(server.address(), "ann");

    let mut without = browser.clone();
    without.cookies.remove("__Host-fingerprint");
    without.clone().refresh().assert_refused(400, "invalid_grant");
    without.clone().api("GET", "/").assert_refused(401, "binding_missing");
    browser.assert_refresh();

    // A thief who got the token and the cookie from different places.
    let mut thief = browser.clone();
    thief.cookies.insert("__Host-fingerprint".into(), other.cookies["__Host-fingerprint"].clone());
    thief.clone().api("GET", "/").assert_refused(401, "binding_mismatch");
    assert_eq!(browser.api_status(), 200);
    thief.clone().refresh().assert_refused(400, "invalid_grant");
    assert_eq!(server.events("binding_mismatch"), 1);
    browser.refresh().assert_refused(400, "invalid_grant");
    assert_eq!(other.api_status(), 200);
}

#[test]
fn the_late_refusal_of_an_old_session_leaves_the_new_cookie_alone() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let late = browser.refresh_request();
    assert_eq!(browser.logout().status, 204);
    browser.assert_login("ann");
    let cookies = browser.cookies.clone();
    // The old tab's request was in progress all the time.
    let refusal = late.send(browser.address);
    refusal.assert_refused(400, "invalid_grant");
    browser.keep(&refusal);
    assert_eq!(browser.cookies, cookies);
    browser.assert_refresh();
}

#[test]
fn nothing_that_holds_a_token_may_be_cached() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let answers = [browser.login("ann", crate::client::PASSWORD), browser.refresh(), browser.logout()];
    for answer in answers {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.set_cookies().count() == 2);
    }
}

#[test]
fn a_store_that_is_down_is_a_503_and_ends_no_session() {
    let mut server = Server::start_with(&[("AUTH_DATABASE_TIMEOUT_MS", "500")]);
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let before = browser.cookies.clone();
    server.store.down();
    let refused = browser.refresh();
    refused.assert_refused(503, "store_unavailable");
    assert!(refused.header("retry-after").is_some());
    assert!(server.log().contains("the database failed"));
    browser.logout().assert_refused(503, "store_unavailable");
    let (status, code) = browser.api("POST", "/logout/all").refusal();
    // With SQLite, reads still work, so the server knows that the session has not ended.
    assert!(
        status == 503 && ["denylist_unavailable", "store_unavailable"].contains(&code.as_str()),
        "{code}"
    );
    let login = Browser::new(server.address()).login("ann", crate::client::PASSWORD);
    login.assert_refused(503, "store_unavailable");
    assert_eq!(browser.cookies, before);

    server.store.up();
    // A lost connection is opened again. One or two requests may fail before that.
    let answers = std::iter::repeat_with(|| browser.refresh()).take(100);
    let answer = answers.into_iter().find(|answer| answer.status != 503).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(browser.api_status(), 200);
}

#[test]
fn a_store_restored_from_a_backup_refuses_newer_tokens() {
    let mut server = Server::start();
    let mut moved_on = Browser::of_new_user(server.address(), "ann");
    let mut quiet = Browser::of_new_user(server.address(), "bob");
    server.kill();
    server.store.back_up();
    server.restart();
    moved_on.address = server.address();
    moved_on.assert_refresh();
    moved_on.assert_refresh();
    server.kill();
    server.store.restore();
    server.restart();
    for browser in [&mut moved_on, &mut quiet] {
        browser.address = server.address();
    }
    moved_on.clone().refresh().assert_refused(400, "invalid_grant");
    assert_eq!(server.events("anomaly"), 1);
    moved_on.clone().api("GET", "/").assert_refused(401, "denied");
    quiet.assert_refresh();
}

#[test]
fn a_server_that_is_killed_amid_refreshes_loses_no_session_and_doubles_none() {
    const DEVICES: usize = 6;
    const KILLS: usize = 4;
    // The tests need no wait. E2E_DOWN_SECONDS shows that a wait changes nothing, within the grace.
    let down = std::env::var("E2E_DOWN_SECONDS").map_or(0, |seconds| seconds.parse().unwrap());
    let mut server = Server::start();
    let mut devices = vec![Browser::of_new_user(server.address(), "ann")];
    devices.extend((1..DEVICES).map(|_| Browser::logged_in(server.address(), "ann")));
    let refreshes = AtomicU64::new(0);
    for _ in 0..KILLS {
        let stop = AtomicBool::new(false);
        let before = refreshes.load(Ordering::Relaxed);
        std::thread::scope(|scope| {
            for device in &mut devices {
                let (stop, refreshes) = (&stop, &refreshes);
                scope.spawn(move || {
                    // Until the server is killed. The device does not know the server's last action.
                    while !stop.load(Ordering::Relaxed) {
                        let Ok(answer) = device.refresh_request().try_send(device.address) else { break };
                        assert_eq!(answer.status, 200, "{}", answer.body);
                        device.keep(&answer);
                        refreshes.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            while refreshes.load(Ordering::Relaxed) < before + 30 {
                std::thread::yield_now();
            }
            server.kill();
            stop.store(true, Ordering::Relaxed);
        });
        std::thread::sleep(Duration::from_secs(down));
        server.restart();
        for device in &mut devices {
            device.address = server.address();
            device.assert_refresh();
            assert_eq!(device.api_status(), 200);
        }
        assert_eq!(server.events("reuse_detected") + server.events("anomaly"), 0);
    }
    let list = devices[0].api("GET", "/sessions").json();
    assert_eq!(list["sessions"].as_array().unwrap().len(), DEVICES);
    println!("{KILLS} kills, {} s each, {} refreshes, 0 sessions lost", down, refreshes.into_inner());
}

#[test]
fn a_load_of_parallel_refreshes_ends_no_session() {
    const DEVICES: usize = 8;
    const ROUNDS: usize = 25;
    let server = Server::start();
    let mut devices = vec![Browser::of_new_user(server.address(), "ann")];
    devices.extend((1..DEVICES).map(|_| Browser::logged_in(server.address(), "ann")));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for device in &mut devices {
            scope.spawn(move || {
                for _ in 0..ROUNDS {
                    // Each device refreshes in two tabs.
                    let answers = at_once(2, &device.refresh_request(), device.address);
                    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
                    device.keep(&answers[0]);
                }
                assert_eq!(device.api_status(), 200);
            });
        }
    });
    assert_eq!(server.events("rotated"), DEVICES * ROUNDS);
    assert_eq!(server.events("grace_replay"), DEVICES * ROUNDS);
    let (count, seconds) = (2 * DEVICES * ROUNDS, started.elapsed().as_secs_f64());
    println!(
        "{count} refreshes in {seconds:.1} s, {:.0} each second, 0 wrong logouts",
        count as f64 / seconds
    );
}
