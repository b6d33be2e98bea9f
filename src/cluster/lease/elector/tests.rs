//! The rules one by one; then several candidates against one server, with every delay, loss and clock that there is.

use proptest::prelude::*;

use super::*;

const TIMES: LeaseTimes = LeaseTimes {
    duration: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry: Duration::from_secs(2),
};

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn held_by(name: &str, transitions: u64) -> LeaseRecord {
    LeaseRecord { holder: name.into(), duration: TIMES.duration, transitions, ..LeaseRecord::default() }
}

fn lease(record: LeaseRecord, version: &str) -> Option<Versioned> {
    Some((record, version.to_owned()))
}

/// An elector that has just won with epoch 1, at second 0.
fn holder() -> Elector {
    let mut elector = Elector::new("me", TIMES);
    elector.see(None, s(0));
    let Move::Write { record, over: None, acquires: true } = elector.decide(s(0)) else {
        panic!("it does not create")
    };
    elector.written((record, "1".into()), true, s(0), s(0));
    elector
}

#[test]
fn it_reads_first_and_makes_a_lease_where_there_is_none() {
    let mut elector = Elector::new("me", TIMES);
    assert_eq!(elector.decide(s(0)), Move::Read);
    assert_eq!(holder().epoch(s(0)), Some(1));
}

#[test]
fn another_holder_counts_until_it_was_silent_here_for_its_whole_duration() {
    let mut elector = Elector::new("me", TIMES);
    elector.see(lease(held_by("other", 4), "a"), s(100));
    assert_eq!(elector.decide(s(100)), Move::Wait(s(115)));
    elector.see(lease(held_by("other", 4), "a"), s(110));
    assert_eq!(elector.decide(s(110)), Move::Wait(s(115)), "the same again is no sign of life");
    elector.see(lease(held_by("other", 4), "b"), s(111));
    assert_eq!(elector.decide(s(125)), Move::Wait(s(126)));
    let Move::Write { record, over, acquires } = elector.decide(s(126)) else {
        panic!("it does not take it")
    };
    assert_eq!((record.holder.as_str(), record.transitions), ("me", 5));
    assert_eq!((over.as_deref(), acquires), (Some("b"), true));
}

#[test]
fn a_released_lease_and_that_of_a_dead_predecessor_are_taken_at_once() {
    for (record, gone) in [(held_by("", 4), None), (held_by("before", 4), Some("before".to_owned()))] {
        let mut elector = Elector::new("me", TIMES);
        elector.know(gone, 9);
        elector.see(lease(record, "a"), s(0));
        let Move::Write { record, .. } = elector.decide(s(0)) else { panic!("it waits") };
        assert_eq!(record.transitions, 10, "above what the records know");
    }
}

#[test]
fn a_holder_renews_in_time_and_stops_when_it_cannot() {
    let mut elector = holder();
    assert_eq!(elector.decide(s(1)), Move::Wait(s(2)));
    let Move::Write { record, over, acquires } = elector.decide(s(2)) else { panic!("it does not renew") };
    assert_eq!((record.transitions, over.as_deref(), acquires), (1, Some("1"), false));
    elector.written((record.clone(), "2".into()), false, s(2), s(4));
    assert_eq!(elector.epoch(s(11)), Some(1), "it counts from when the renewal was sent");
    assert_eq!(elector.epoch(s(12)), None);
    elector.written((record, "3".into()), false, s(11), s(13));
    assert_eq!(elector.epoch(s(13)), None, "a lapsed term does not come back");
    let Move::Write { record, acquires, .. } = elector.decide(s(13)) else { panic!("it waits for itself") };
    assert_eq!((record.transitions, acquires), (2, true), "it begins a new one");
}

#[test]
fn a_lost_answer_keeps_the_term_and_another_holder_ends_it() {
    let mut elector = holder();
    elector.doubt();
    assert_eq!(elector.decide(s(2)), Move::Read);
    elector.see(lease(held_by("me", 1), "2"), s(3));
    assert!(matches!(elector.decide(s(3)), Move::Write { acquires: false, .. }));
    elector.see(lease(held_by("me", 2), "3"), s(4));
    assert_eq!(elector.epoch(s(4)), None, "an epoch that it was never told of is not its own");
    let mut elector = holder();
    elector.see(lease(held_by("other", 2), "2"), s(3));
    assert_eq!(elector.epoch(s(3)), None);
}

#[test]
fn who_asked_for_it_gets_it_before_the_others() {
    let asked = |holder: &str, by: &str| LeaseRecord { requested_by: Some(by.into()), ..held_by(holder, 1) };
    let mut elector = holder();
    elector.see(lease(asked("me", "other"), "2"), s(1));
    assert_eq!(elector.decide(s(1)), Move::GiveWay("other".into()));
    let (left, over) = elector.release().unwrap();
    assert_eq!((left.holder.as_str(), left.transitions, over.as_str()), ("", 1, "2"));
    elector.see(lease(asked("", "other"), "3"), s(1));
    assert_eq!(elector.decide(s(1)), Move::Wait(s(5)), "the other one has a moment");
    assert!(matches!(elector.decide(s(5)), Move::Write { acquires: true, .. }), "and not for ever");
    let mut other = Elector::new("other", TIMES);
    other.see(lease(asked("", "other"), "3"), s(50));
    let Move::Write { record, .. } = other.decide(s(50)) else { panic!("it waits for itself") };
    assert_eq!(record.requested_by, None, "the request is answered");
}

#[test]
fn only_what_is_ours_is_released() {
    assert_eq!(Elector::new("me", TIMES).release(), None);
    let mut elector = holder();
    elector.see(lease(held_by("other", 2), "2"), s(1));
    assert_eq!(elector.release(), None);
    let mut elector = holder();
    elector.doubt();
    assert_eq!(elector.release(), None, "what is not known is read first");
}

/// What happens to one request: how long it takes to get there and back, and whether the answer is lost.
#[derive(Debug, Clone, Copy)]
struct Fate {
    there: u64,
    back: u64,
    lost: bool,
}

/// One candidate of the simulation; its clock has a rate of its own, in thousandths.
#[derive(Debug, Clone)]
struct Actor {
    elector: Elector,
    rate: u64,
    offset: u64,
    wakes: u64,
    dead: bool,
    asks: bool,
}

impl Actor {
    fn clock(&self, at: u64) -> Duration {
        Duration::from_millis(self.offset + at * self.rate / 1000)
    }

    fn global(&self, local: Duration) -> u64 {
        let local = u64::try_from(local.as_millis()).unwrap();
        (local.saturating_sub(self.offset) * 1000).div_ceil(self.rate)
    }
}

#[derive(Debug, Clone)]
enum Message {
    Read,
    Write { record: LeaseRecord, over: Option<String>, acquires: bool },
    Ask,
}

#[derive(Debug, Clone)]
enum Happening {
    Arrives(usize, Message, (Fate, u64), Duration),
    Answered(usize, Answer, Duration, u64),
    GivenUp(usize, u64),
}

#[derive(Debug, Clone)]
enum Answer {
    Lease(Option<Versioned>),
    Written { record: LeaseRecord, version: String, acquired: bool },
    Refused,
}

/// How long a candidate waits for an answer, in milliseconds of the simulation.
const PATIENCE: u64 = 5_000;

struct Simulation {
    actors: Vec<Actor>,
    server: Option<Versioned>,
    versions: u64,
    happenings: Vec<(u64, Happening)>,
    fates: Vec<Fate>,
    next_fate: usize,
    /// The request that each waits for.
    waiting: Vec<Option<u64>>,
    requests: u64,
    epochs: Vec<(u64, usize)>,
    terms: u64,
    now: u64,
}

impl Simulation {
    fn fate(&mut self) -> Fate {
        let fate = self.fates[self.next_fate % self.fates.len()];
        self.next_fate += 1;
        fate
    }

    fn send(&mut self, actor: usize, message: Message, now: u64) {
        let (fate, sent) = (self.fate(), self.actors[actor].clock(now));
        self.requests += 1;
        let number = self.requests;
        self.waiting[actor] = Some(number);
        self.happenings.push((now + fate.there, Happening::Arrives(actor, message, (fate, number), sent)));
        self.happenings.push((now + PATIENCE, Happening::GivenUp(actor, number)));
    }

    fn serve(&mut self, message: &Message, actor: usize) -> Answer {
        let stands = self.server.as_ref().map(|(_, version)| version.clone());
        match message {
            Message::Read => Answer::Lease(self.server.clone()),
            Message::Write { record, over, acquires } if *over == stands => {
                self.versions += 1;
                let version = self.versions.to_string();
                self.server = Some((record.clone(), version.clone()));
                Answer::Written { record: record.clone(), version, acquired: *acquires }
            }
            Message::Write { .. } => Answer::Refused,
            Message::Ask => {
                if let Some((record, version)) = &mut self.server {
                    self.versions += 1;
                    record.requested_by = Some(format!("actor-{actor}"));
                    *version = self.versions.to_string();
                }
                Answer::Refused
            }
        }
    }

    fn act(&mut self, actor: usize, now: u64) {
        let local = self.actors[actor].clock(now);
        if self.actors[actor].asks {
            self.actors[actor].asks = false;
            self.send(actor, Message::Ask, now);
            return;
        }
        let retry = now + 500;
        self.actors[actor].wakes = match self.actors[actor].elector.decide(local) {
            Move::Read => {
                self.send(actor, Message::Read, now);
                retry
            }
            Move::Write { record, over, acquires } => {
                self.send(actor, Message::Write { record, over, acquires }, now);
                retry
            }
            // a candidate reads every now and then, as one without a watch would
            Move::Wait(until) => {
                let until = self.actors[actor].global(until).max(now + 1);
                if self.actors[actor].elector.epoch(local).is_none() && until > now + 2_000 {
                    self.actors[actor].elector.doubt();
                    now + 2_000
                } else {
                    until
                }
            }
            Move::GiveWay(_) => {
                if let Some((record, over)) = self.actors[actor].elector.release() {
                    let over = Some(over);
                    self.send(actor, Message::Write { record, over, acquires: false }, now);
                }
                retry
            }
        };
    }

    fn happen(&mut self, happening: Happening, now: u64) {
        match happening {
            Happening::Arrives(actor, message, (fate, number), sent) => {
                let answer = self.serve(&message, actor);
                if !fate.lost {
                    self.happenings.push((now + fate.back, Happening::Answered(actor, answer, sent, number)));
                }
            }
            Happening::GivenUp(actor, number) if self.waiting[actor] == Some(number) => {
                self.waiting[actor] = None;
                self.actors[actor].elector.doubt();
            }
            // what comes after the patience is over is not heard
            Happening::Answered(actor, answer, sent, number) if self.waiting[actor] == Some(number) => {
                self.waiting[actor] = None;
                self.hear(actor, answer, sent, now);
            }
            Happening::Answered(..) | Happening::GivenUp(..) => {}
        }
    }

    fn hear(&mut self, actor: usize, answer: Answer, sent: Duration, now: u64) {
        let local = self.actors[actor].clock(now);
        let elector = &mut self.actors[actor].elector;
        match answer {
            Answer::Lease(lease) => elector.see(lease, local),
            Answer::Refused => elector.doubt(),
            Answer::Written { record, version, acquired } => {
                let epoch = record.transitions;
                elector.written((record, version), acquired, sent, local);
                if acquired && elector.epoch(local).is_some() {
                    self.terms += 1;
                    let highest = self.epochs.iter().map(|(epoch, _)| *epoch).max().unwrap_or(0);
                    assert!(epoch > highest, "epoch {epoch} after {:?}", self.epochs);
                    self.epochs.push((epoch, actor));
                }
            }
        }
    }

    /// Lets time pass until `end`; after every step at most one of them holds a term.
    fn run(&mut self, end: u64) {
        let mut now = self.now;
        while now < end {
            let next = self.happenings.iter().map(|(at, _)| *at).min().unwrap_or(u64::MAX);
            let living = 0..self.actors.len();
            let ready =
                living.clone().filter(|actor| !self.actors[*actor].dead && self.waiting[*actor].is_none());
            let wake = ready.map(|actor| (self.actors[actor].wakes, actor)).min();
            match wake {
                Some((at, actor)) if at <= next => {
                    now = now.max(at);
                    self.act(actor, now);
                }
                _ if next == u64::MAX => break,
                _ => {
                    now = now.max(next);
                    let index = self.happenings.iter().position(|(at, _)| *at == next).unwrap();
                    let (_, happening) = self.happenings.swap_remove(index);
                    let (Happening::Arrives(actor, ..)
                    | Happening::Answered(actor, ..)
                    | Happening::GivenUp(actor, ..)) = &happening;
                    // what a dead one has sent arrives all the same
                    if !self.actors[*actor].dead || matches!(happening, Happening::Arrives(..)) {
                        self.happen(happening, now);
                    }
                }
            }
            let mut holders = Vec::new();
            for (number, actor) in self.actors.iter_mut().enumerate().filter(|(_, actor)| !actor.dead) {
                let local = actor.clock(now);
                holders.extend(actor.elector.epoch(local).map(|epoch| (number, epoch)));
            }
            assert!(holders.len() <= 1, "two at once: {holders:?} at {now}");
        }
        self.now = end;
    }
}

fn simulation(rates: &[(u64, u64)], fates: Vec<Fate>) -> Simulation {
    let actor = |(number, (rate, offset)): (usize, &(u64, u64))| Actor {
        elector: Elector::new(&format!("actor-{number}"), TIMES),
        rate: *rate,
        offset: *offset,
        wakes: 0,
        dead: false,
        asks: false,
    };
    Simulation {
        waiting: vec![None; rates.len()],
        requests: 0,
        actors: rates.iter().enumerate().map(actor).collect(),
        server: None,
        versions: 0,
        happenings: Vec::new(),
        fates,
        next_fate: 0,
        epochs: Vec::new(),
        terms: 0,
        now: 0,
    }
}

fn fates(slowest: u64, losses: u32) -> impl Strategy<Value = Vec<Fate>> {
    let fate = (0..=slowest, 0..=slowest, 0..100_u32).prop_map(move |(there, back, luck)| Fate {
        there,
        back,
        lost: luck < losses,
    });
    prop::collection::vec(fate, 1..60)
}

fn clocks() -> impl Strategy<Value = Vec<(u64, u64)>> {
    prop::collection::vec((850_u64..=1150, 0_u64..10_000_000), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the network and the clocks do, nobody acts beside another, and no epoch is given twice.
    #[test]
    fn never_two_at_once_and_no_epoch_twice(
        clocks in clocks(),
        fates in fates(20_000, 30),
        deaths in prop::collection::vec(any::<bool>(), 5),
        asks in prop::collection::vec(any::<bool>(), 5),
    ) {
        let mut simulation = simulation(&clocks, fates);
        simulation.run(60_000);
        for (actor, (dies, asks)) in deaths.into_iter().zip(asks).enumerate().take(clocks.len()) {
            simulation.actors[actor].dead = dies;
            simulation.actors[actor].asks = asks;
        }
        simulation.run(240_000);
    }

    /// Where requests get through, somebody holds it soon; and again after the holder has died.
    #[test]
    fn somebody_holds_it_soon(clocks in clocks(), fates in fates(300, 0)) {
        let mut simulation = simulation(&clocks, fates);
        simulation.run(10_000);
        prop_assert_eq!(simulation.terms, 1, "one wins and keeps it");
        let holder = simulation.epochs[0].1;
        simulation.actors[holder].dead = true;
        simulation.run(45_000);
        let expected = if clocks.len() == 1 { 1 } else { 2 };
        prop_assert_eq!(simulation.terms, expected);
    }

    /// Who asks for it gets it, and keeps it.
    #[test]
    fn who_asks_gets_it(clocks in clocks(), fates in fates(300, 0)) {
        let mut simulation = simulation(&clocks, fates);
        simulation.run(10_000);
        let asking = clocks.len() - 1;
        simulation.actors[asking].asks = true;
        simulation.run(40_000);
        prop_assert_eq!(simulation.epochs.last().unwrap().1, asking);
    }
}
