//! Tries every order of events around a key set that is refreshed: three requests, two rotations, one outage and one jump of
//! the clock. Each law holds in every state; a machine without it is noticed.
#![cfg(feature = "key-files")]

#[path = "util/refresh.rs"]
mod mutant;

use core::hash::{BuildHasher, Hash};
use countersign::UnixTime;
use countersign::jwk::Action;
use mutant::{
    CEILING, COOLDOWN, DEFAULT_AGE, FLOOR, LAWS, LONGEST_RETRY, Law, MOST_WAITING, Mutant, OUTAGE, Start,
    TIMEOUT, wall,
};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// How long each run lasts.
const HORIZON: i64 = 6;
/// How far the clock jumps. More than a minute, so that it is not a small step back.
const JUMP: i64 = 100;
const MOST_FLIGHTS: usize = 2;

/// The key id that no set has.
const BOGUS: u8 = 1 << 7;

/// How the runs begin. The first one has all events; the others have fewer, because a run begins alike after the first fetch.
const STARTS: [Start; 7] = [
    Start { fails: true, jitter: 0, snapshot_age: None, budget: (3, 2) },
    Start { fails: false, jitter: u32::MAX, snapshot_age: None, budget: (1, 1) },
    Start { fails: true, jitter: 0, snapshot_age: Some(0), budget: (2, 1) },
    Start { fails: false, jitter: 0, snapshot_age: Some(DEFAULT_AGE), budget: (1, 1) },
    Start { fails: false, jitter: 0, snapshot_age: Some(DEFAULT_AGE + OUTAGE - 1), budget: (1, 1) },
    Start { fails: true, jitter: 0, snapshot_age: Some(DEFAULT_AGE + OUTAGE), budget: (1, 1) },
    Start { fails: false, jitter: 0, snapshot_age: Some(-JUMP), budget: (1, 1) },
];

#[derive(Clone, Copy, Debug)]
enum Event {
    Tick,
    Rotate,
    OutageBegins,
    OutageEnds,
    Jump(i64),
    /// A token with the newest key of the issuer, or with an invented key id.
    Request(u8),
    GiveUp(usize),
    Succeed(usize),
    NotASet(usize),
    Fail(usize),
}

/// A request to the issuer that has not been answered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Flight {
    attempt: u64,
    begun: i64,
    /// The answer holds the keys of that time.
    version: u8,
}

/// Keys as the laws see them: when their fetch began, and their ages.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Known {
    keys: u8,
    begun: i64,
    arrived: i64,
    soft: i64,
    /// The clock has jumped since they arrived, which lets them age.
    aged: bool,
}

/// The last attempt as the laws see it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Last {
    Never,
    /// If the clock has jumped since, the machine may think that it took too long, or has more time than it has.
    Open {
        attempt: u64,
        begun: i64,
        jumped: bool,
    },
    Succeeded {
        ended: i64,
    },
    Failed {
        ended: i64,
    },
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct World {
    mutant: Mutant,
    fails: bool,
    /// The real time, which no party has.
    time: i64,
    offset: i64,
    jumped: bool,
    /// The clock has jumped since the last fetch, which allows one more.
    extra: bool,
    version: u8,
    /// Zero before the outage, one during, two after it.
    outage: u8,
    requests_left: u8,
    rotations_left: u8,
    /// The attempts that joined callers wait for.
    waiting: Vec<u64>,
    flights: Vec<Flight>,
    /// The driver's sleep, by a clock that does not jump.
    wake: i64,
    known: Option<Known>,
    last: Last,
    failures: u32,
}

type Checked = Result<(), String>;

fn check(holds: bool, law: &str) -> Checked {
    if holds { Ok(()) } else { Err(law.to_owned()) }
}

impl World {
    fn new(start: Start, without: Option<Law>) -> Result<Self, String> {
        // Keys of a snapshot that is too old, or from the future, must not be used.
        let usable = start.snapshot_age.filter(|age| (0..DEFAULT_AGE + OUTAGE).contains(age));
        let known = usable.map(|age| Known {
            keys: set(0),
            begun: -age,
            arrived: -age,
            soft: DEFAULT_AGE,
            aged: false,
        });
        let mut world = Self {
            mutant: Mutant::new(start, without),
            fails: start.fails,
            time: 0,
            offset: 0,
            jumped: false,
            extra: false,
            version: 0,
            outage: 0,
            requests_left: start.budget.0,
            rotations_left: start.budget.1,
            waiting: Vec::new(),
            flights: Vec::new(),
            wake: 0,
            known,
            last: Last::Never,
            failures: 0,
        };
        world.timer()?;
        world.check_keys()?;
        Ok(world)
    }

    fn now(&self) -> UnixTime {
        wall(self.time + self.offset)
    }

    fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        if self.time < HORIZON {
            events.push(Event::Tick);
        }
        if self.rotations_left > 0 {
            events.push(Event::Rotate);
        }
        match self.outage {
            0 => events.push(Event::OutageBegins),
            1 => events.push(Event::OutageEnds),
            _ => {}
        }
        // The other mutants are noticed without it.
        if !self.jumped && self.mutant.without.is_none_or(|law| law == Law::ClockSetBack) {
            events.extend([Event::Jump(JUMP), Event::Jump(-JUMP)]);
        }
        if self.requests_left > 0 {
            events.extend([Event::Request(set(self.version)), Event::Request(BOGUS)]);
        }
        events.extend((0..self.waiting.len()).map(Event::GiveUp));
        for flight in 0..self.flights.len() {
            if self.outage == 1 {
                events.extend([Event::Fail(flight), Event::NotASet(flight)]);
            } else {
                events.push(Event::Succeed(flight));
            }
        }
        events
    }

    fn apply(&mut self, event: Event) -> Checked {
        match event {
            Event::Tick => self.tick()?,
            Event::Rotate => {
                self.version += 1;
                self.rotations_left -= 1;
            }
            Event::OutageBegins | Event::OutageEnds => self.outage += 1,
            Event::Jump(by) => {
                (self.offset, self.jumped, self.extra) = (by, true, true);
                if let Some(known) = &mut self.known {
                    known.aged = true;
                }
                if let Last::Open { jumped, .. } = &mut self.last {
                    *jumped = true;
                }
            }
            Event::Request(key_id) => self.request(key_id)?,
            Event::GiveUp(place) => {
                let attempt = self.waiting.remove(place);
                self.mutant.stop_waiting(attempt);
            }
            Event::Succeed(place) => self.succeed(place)?,
            Event::NotASet(place) => self.fail(place, Mutant::not_a_set)?,
            Event::Fail(place) => self.fail(place, Mutant::failed)?,
        }
        self.waiting.sort_unstable();
        self.check_keys()?;
        self.check_what_changes_nothing()
    }

    /// The keys are there exactly until the hard age. A clock that jumped may make it end earlier, never later.
    fn check_keys(&self) -> Checked {
        let found = self.mutant.keys(self.now());
        let usable = self.known.filter(|known| self.time < known.hard_until());
        match (found, usable) {
            (None, _) if self.jumped => Ok(()),
            (None, Some(_)) => Err("1, 3: keys are used until their hard age".into()),
            (None, None) => Ok(()),
            (Some(_), None) => {
                Err("1, 10, 11: there are no keys beyond the hard age or before a fetch".into())
            }
            (Some(found), Some(known)) => {
                check(found == known.keys, "7, 8: the keys are those of the last set")
            }
        }
    }

    fn tick(&mut self) -> Checked {
        self.time += 1;
        self.wake -= 1;
        // An answer that is much too late changes as little as one that is a little too late.
        let time = self.time;
        self.flights.retain(|flight| time <= flight.begun + TIMEOUT + 1);
        if let Last::Open { begun, jumped: false, .. } = self.last
            && self.time >= begun + TIMEOUT
        {
            self.ends(false);
        }
        if self.wake <= 0 {
            self.timer()?;
        }
        if self.start_failed() {
            return Ok(());
        }
        let due = match (self.last, self.known) {
            (Last::Never, known) => known.map_or(0, |known| known.begun + known.soft),
            (Last::Open { begun, .. }, _) => begun + 2 * TIMEOUT + LONGEST_RETRY,
            (Last::Succeeded { ended }, Some(known)) => (ended + COOLDOWN).max(known.arrived + known.soft),
            (Last::Failed { ended } | Last::Succeeded { ended }, _) => ended + LONGEST_RETRY,
        };
        // If the clock was set back, a wait may begin again.
        let due = if self.offset < 0 { due + LONGEST_RETRY } else { due };
        check(self.time <= due, "1, 9: a set is fetched again after its soft age, and after a failure")
    }

    fn timer(&mut self) -> Checked {
        let now = self.now();
        let mut action = self.mutant.timer(now);
        if let Action::Fetch { attempt } = action {
            let early = self.known.is_some_and(|known| self.time < known.begun + FLOOR && !known.aged);
            check(!early, "no age is shorter than the floor")?;
            self.begins(attempt)?;
            action = self.mutant.timer(now);
        }
        match action {
            Action::WaitUntil(until) => {
                check(until > now, "the timer does not wait for the past")?;
                self.sleep(action)
            }
            Action::Unavailable => self.sleep(action),
            _ => Err("2: the timer begins one fetch".into()),
        }
    }

    fn begins(&mut self, attempt: u64) -> Checked {
        let (time, failures) = (self.time, self.failures);
        let open = matches!(self.last, Last::Open { .. });
        check(self.extra || !open, "2: a fetch under way is shared")?;
        let earliest = match self.last {
            Last::Never | Last::Open { .. } => 0,
            Last::Succeeded { ended } => ended + COOLDOWN,
            // At least half of what doubles with each failure.
            Last::Failed { ended } => ended + ((COOLDOWN << failures).min(LONGEST_RETRY) / 2).max(COOLDOWN),
        };
        check(self.extra || time >= earliest, "2, 3: no fetch within the cooldown, or while backing off")?;
        self.extra = false;
        self.last = Last::Open { attempt, begun: time, jumped: false };
        self.flights.push(Flight { attempt, begun: time, version: self.version });
        // An answer that comes later than the next but one changes as little as that one.
        if self.flights.len() > MOST_FLIGHTS {
            self.flights.remove(0);
        }
        Ok(())
    }

    fn request(&mut self, key_id: u8) -> Checked {
        self.requests_left -= 1;
        let now = self.now();
        let keys = self.mutant.keys(now);
        if keys.is_some_and(|keys| keys & key_id != 0) {
            return Ok(());
        }
        let open = matches!(self.last, Last::Open { .. });
        let last_failed = matches!(self.last, Last::Failed { .. });
        let joined = self.waiting.iter().filter(|attempt| self.last.is_open(**attempt)).count();
        match self.mutant.unknown_key(now) {
            Action::Fetch { attempt } => {
                self.begins(attempt)?;
                self.timer()
            }
            Action::Join { attempt } => {
                check(joined < MOST_WAITING, "4: the number of waiting callers is bounded")?;
                check(self.last.is_open(attempt), "2: callers wait for the fetch under way")?;
                self.waiting.push(attempt);
                Ok(())
            }
            Action::UseKeys => {
                check(keys.is_some() && !last_failed, "12: a key is unknown only if the keys are known")?;
                let fresh = matches!(self.last, Last::Succeeded { ended } if self.time < ended + COOLDOWN);
                check(fresh || self.jumped, "2: an unknown key causes a fetch after the cooldown")
            }
            Action::Unavailable => {
                let recent = match self.last {
                    Last::Failed { ended } => self.time < ended + LONGEST_RETRY,
                    Last::Never => false,
                    Last::Open { .. } | Last::Succeeded { .. } => true,
                };
                check(self.start_failed() || recent || self.jumped, "2: an unknown key causes a fetch")?;
                let full = open && joined >= MOST_WAITING;
                let reason = keys.is_none() || last_failed || full || self.jumped;
                check(reason, "12: keys are unavailable only if there is a reason")
            }
            Action::WaitUntil(_) => Err("an unknown key is decided at once".into()),
            _ => Err("an action that the model does not know".into()),
        }
    }

    /// Neither a bad signature nor another issuer changes anything.
    fn check_what_changes_nothing(&self) -> Checked {
        let (mut after, now) = (self.mutant.clone(), self.now());
        check(after.bad_signature(now).is_none(), "5: a bad signature causes nothing")?;
        check(after.machine == self.mutant.machine, "5: a bad signature changes nothing")?;
        let action = after.unknown_key_of_other_issuer(now);
        check(matches!(action, Action::Fetch { .. }), "6: another issuer is not delayed")?;
        check(after.machine == self.mutant.machine, "6: another issuer delays nothing")
    }

    fn succeed(&mut self, place: usize) -> Checked {
        let (flight, now) = (self.flights.remove(place), self.now());
        let before = self.mutant.keys(now);
        let action =
            self.mutant.fetched(now, flight.attempt, set(flight.version), cache_control(flight.version));
        let keys = self.mutant.keys(now);
        let is_last = self.last.is_open(flight.attempt);
        let aged = matches!(self.last, Last::Open { jumped: true, .. });
        // Only after a fetch that succeeded, the keys are known to be the newest ones.
        let taken = is_last && (!aged || self.mutant.clone().unknown_key(now) == Action::UseKeys);
        if is_last {
            self.ends(taken);
        }
        if taken {
            check(keys == Some(set(flight.version)), "7: a new set replaces all keys")?;
            let soft = soft_age(flight.version);
            let keys = set(flight.version);
            self.known = Some(Known { keys, begun: flight.begun, arrived: self.time, soft, aged });
        } else {
            check(keys == before, "9: an answer that comes too late changes nothing")?;
        }
        self.answer(flight.attempt);
        self.sleep(action)
    }

    fn fail(&mut self, place: usize, report: fn(&mut Mutant, UnixTime, u64) -> Action) -> Checked {
        let (flight, now) = (self.flights.remove(place), self.now());
        let before = self.mutant.keys(now);
        let action = report(&mut self.mutant, now, flight.attempt);
        check(self.mutant.keys(now) == before, "3, 8: a failed fetch changes no keys")?;
        if self.last.is_open(flight.attempt) {
            self.ends(false);
        }
        self.answer(flight.attempt);
        self.sleep(action)
    }

    /// Sleeps until the time that the machine asks for.
    fn sleep(&mut self, action: Action) -> Checked {
        match action {
            Action::WaitUntil(until) => {
                check(!self.start_failed(), "10: the start fails if the first fetch fails")?;
                self.wake = until.as_secs() - self.now().as_secs();
                if self.wake <= 0 { self.timer() } else { Ok(()) }
            }
            Action::Unavailable => {
                if self.fails && self.known.is_none() && matches!(self.last, Last::Open { jumped: true, .. })
                {
                    self.ends(false);
                }
                check(self.start_failed(), "10: the start fails only if the first fetch fails")?;
                self.wake = i64::MAX;
                Ok(())
            }
            _ => Err("2: the end of a fetch begins no other".into()),
        }
    }

    fn start_failed(&self) -> bool {
        self.fails && self.known.is_none() && self.failures > 0
    }

    fn ends(&mut self, succeeded: bool) {
        let ended = self.time;
        self.last = if succeeded { Last::Succeeded { ended } } else { Last::Failed { ended } };
        self.failures = if succeeded { 0 } else { self.failures + 1 };
    }

    fn answer(&mut self, attempt: u64) {
        self.waiting.retain(|waiting| *waiting != attempt);
    }
}

impl Known {
    const fn hard_until(self) -> i64 {
        self.begun + self.soft + OUTAGE
    }
}

impl Last {
    fn is_open(self, number: u64) -> bool {
        matches!(self, Self::Open { attempt, .. } if attempt == number)
    }
}

/// Returns the keys of the issuer after so many rotations.
const fn set(version: u8) -> u8 {
    1 << version
}

/// Returns what the issuer says about these keys.
const fn cache_control(version: u8) -> &'static str {
    match version {
        0 => "max-age=31536000",
        1 => "no-store",
        _ => "public",
    }
}

const fn soft_age(version: u8) -> i64 {
    match version {
        0 => CEILING,
        1 => FLOOR,
        _ => DEFAULT_AGE,
    }
}

/// Tries every order of events. Returns the number of states, or the law that is broken and the events until then.
fn explore(without: Option<Law>) -> Result<usize, String> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let (mut seen, mut trail, mut level) = (HashSet::new(), Vec::<(usize, Event)>::new(), Vec::new());
    for start in STARTS {
        let world = World::new(start, without)?;
        if seen.insert(hasher.hash_one(&world)) {
            level.push((usize::MAX, world));
        }
    }
    while !level.is_empty() {
        let mut next = Vec::new();
        for (place, world) in level {
            for event in world.events() {
                let mut after = world.clone();
                if let Err(law) = after.apply(event) {
                    let (mut events, mut place) = (vec![event], place);
                    while let Some((before, event)) = trail.get(place) {
                        events.push(*event);
                        place = *before;
                    }
                    events.reverse();
                    return Err(format!("{law}: {events:?}"));
                }
                if seen.insert(hasher.hash_one(&after)) {
                    trail.push((place, event));
                    next.push((trail.len() - 1, after));
                }
            }
        }
        level = next;
    }
    Ok(seen.len())
}

#[test]
fn each_law_holds_in_every_order_of_events() {
    let states = explore(None).unwrap_or_else(|broken| panic!("{broken}"));
    println!("{states} states");
    assert!(states >= 50_000, "{states} states");
}

#[test]
fn a_machine_without_one_of_the_laws_is_noticed() {
    for (law, noticed_by) in LAWS {
        let broken = explore(Some(law)).expect_err(&format!("without {law:?}"));
        println!("without {law:?}: {broken}");
        assert!(broken.starts_with(noticed_by), "without {law:?}: {broken}");
    }
}
