use std::collections::VecDeque;
use std::future::pending;

use jiff::Timestamp;
use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::domain::route::{Phase, Phases, ProbeOutcome};

/// An answer of a script: after how many milliseconds, and what; none: it never comes.
type Scripted = Option<(u64, ProbeOutcome)>;

/// Answers as it is told, by URL: nobody is asked.
#[derive(Clone, Default)]
struct Script {
    /// What each URL answers, in turn, and how long that takes; the last one again and again. None: never.
    answers: Arc<Mutex<HashMap<String, VecDeque<Scripted>>>>,
    /// What was asked, and when since the start.
    asked: Arc<Mutex<Vec<(String, Duration)>>>,
}

impl Script {
    fn says(&self, url: &str, answers: impl IntoIterator<Item = Option<(u64, ProbeOutcome)>>) {
        self.answers.lock().unwrap().insert(url.to_owned(), answers.into_iter().collect());
    }

    fn prober(&self) -> Prober {
        let (script, start) = (self.clone(), Instant::now());
        Arc::new(move |url| {
            script.asked.lock().unwrap().push((url.clone(), start.elapsed()));
            let mut answers = script.answers.lock().unwrap();
            let answers = answers.get_mut(&url).unwrap();
            let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
            Box::pin(async move {
                let Some((after, outcome)) = answer else { pending().await };
                sleep(Duration::from_millis(after)).await;
                found(outcome, after)
            })
        })
    }

    fn times(&self, url: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|(asked, _)| asked == url).count()
    }
}

fn found(outcome: ProbeOutcome, millis: u64) -> Probe {
    let phases = Phases { http: Some(u32::try_from(millis * 1_000).unwrap()), ..Phases::default() };
    Probe {
        at: Timestamp::UNIX_EPOCH,
        outcome,
        phases,
        address: None,
        addresses: Vec::new(),
        hops: Vec::new(),
        certificate: None,
    }
}

fn good() -> Option<(u64, ProbeOutcome)> {
    Some((10, ProbeOutcome::Answered(200)))
}

fn bad() -> Option<(u64, ProbeOutcome)> {
    Some((10, ProbeOutcome::Failed { phase: Phase::Connect, message: "refused".to_owned() }))
}

const TARGET: Target = Target { health: Health::Healthy, endpoints: None, unprobed: false };

fn targets(urls: &[&str]) -> Targets {
    urls.iter().map(|url| ((*url).to_owned(), TARGET)).collect()
}

fn started(script: &Script) -> Probes {
    let probes = Probes::new(script.prober());
    probes.start(CancellationToken::new());
    probes
}

/// Waits until the results are as wanted.
async fn until(probes: &Probes, wanted: impl Fn(&Results) -> bool) {
    let mut results = probes.results();
    results.wait_for(|results| wanted(results)).await.unwrap();
}

fn beats(results: &Results, url: &str) -> usize {
    results.get(url).map_or(0, |watched| watched.history.len())
}

#[tokio::test(start_paused = true)]
async fn a_slow_url_holds_up_nobody() {
    let script = Script::default();
    script.says("http://slow", [None]);
    script.says("http://fast", [good()]);
    let probes = started(&script);
    probes.targets().send_replace(targets(&["http://slow", "http://fast"]));
    until(&probes, |results| beats(results, "http://fast") == 3).await;
    assert_eq!(script.times("http://slow"), 1);
    let results = Arc::clone(&probes.results().borrow());
    assert_eq!(results["http://slow"].probe, None, "it is known and has no result yet");
}

#[tokio::test(start_paused = true)]
async fn at_most_sixteen_are_under_way() {
    let script = Script::default();
    let urls: Vec<String> = (0..40).map(|number| format!("http://{number}")).collect();
    for url in &urls {
        script.says(url, [None]);
    }
    let probes = started(&script);
    probes.targets().send_replace(targets(&urls.iter().map(String::as_str).collect::<Vec<_>>()));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(script.asked.lock().unwrap().len(), PARALLEL);
    let waiting = urls.iter().find(|url| script.times(url) == 0).unwrap();
    let never = tokio::time::timeout(Duration::from_secs(60), probes.ask_now(waiting)).await;
    assert!(never.is_err() && script.times(waiting) == 1, "a person's wish does not wait for room");
    assert_eq!(script.asked.lock().unwrap().len(), PARALLEL + 1);
}

#[tokio::test(start_paused = true)]
async fn failures_back_off_and_a_change_asks_at_once() {
    let script = Script::default();
    script.says("http://a", [bad()]);
    let probes = started(&script);
    probes.targets().send_replace(targets(&["http://a"]));
    sleep(Duration::from_secs(300)).await;
    let gaps: Vec<Duration> = {
        let asked = script.asked.lock().unwrap();
        asked.windows(2).map(|pair| pair[1].1 - pair[0].1).collect()
    };
    assert!(gaps[0] < Duration::from_millis(320), "{gaps:?}");
    assert!(gaps.windows(2).take(5).all(|pair| pair[1] > pair[0]), "{gaps:?}");
    assert!(gaps.iter().all(|gap| *gap < Duration::from_millis(36_100)), "{gaps:?}");
    assert!((13..=20).contains(&gaps.len()), "{gaps:?}");

    script.says("http://a", [good()]);
    let before = script.times("http://a");
    let changed = Target { endpoints: Some(Endpoints { ready: 1, total: 1 }), ..TARGET };
    probes.targets().send_replace(Targets::from([("http://a".to_owned(), changed)]));
    advance(Duration::from_millis(50)).await;
    until(&probes, |results| results["http://a"].probe.as_ref().is_some_and(Probe::works)).await;
    assert_eq!(script.times("http://a"), before + 1);
}

#[tokio::test(start_paused = true)]
async fn histories_are_bounded_and_gone_urls_forgotten() {
    let script = Script::default();
    script.says("http://a", [bad(), good()]);
    script.says("http://b", [good()]);
    let probes = started(&script);
    probes.targets().send_replace(targets(&["http://a", "http://b"]));
    until(&probes, |results| beats(results, "http://a") == 2).await;
    let first = Arc::clone(&probes.results().borrow()["http://a"].history);
    assert_eq!(first.iter().map(|beat| beat.works).collect::<Vec<_>>(), [false, true]);
    sleep(Duration::from_secs(3_600)).await;
    let results = Arc::clone(&probes.results().borrow());
    assert_eq!((beats(&results, "http://a"), beats(&results, "http://b")), (BEATS, BEATS));
    assert!(results["http://a"].history.iter().all(|beat| beat.works), "the oldest goes first");

    let alone = Target { unprobed: true, ..TARGET };
    probes.targets().send_replace(Targets::from([("http://a".to_owned(), alone)]));
    until(&probes, |results| results.is_empty()).await;
    assert!(probes.reach().borrow().is_empty());
    let before = script.asked.lock().unwrap().len();
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(script.asked.lock().unwrap().len(), before, "nothing is asked");
    assert!(probes.ask_now("http://a").await.unwrap().works(), "but for a person");
    assert!(probes.results().borrow().is_empty(), "and nothing is kept of it");
}

#[tokio::test(start_paused = true)]
async fn the_short_form_is_published_when_it_says_something_new() {
    let script = Script::default();
    let slower = Some((20, ProbeOutcome::Answered(302)));
    script.says("http://a", [bad(), bad(), good(), slower, good(), bad(), good()]);
    let probes = started(&script);
    let (mut reach, mut said) = (probes.reach(), Vec::new());
    probes.targets().send_replace(targets(&["http://a"]));
    while said.len() < 4 {
        reach.changed().await.unwrap();
        said.push(reach.borrow_and_update()["http://a"].reason.clone());
    }
    assert_eq!(said, ["ConnectFailed", "Answered", "ConnectFailed", "Answered"]);
    assert_eq!(script.times("http://a"), 7);
}

#[tokio::test(start_paused = true)]
async fn who_asks_while_one_is_under_way_gets_a_fresh_one() {
    let script = Script::default();
    let slow = Some((5_000, ProbeOutcome::Answered(503)));
    script.says("http://a", [slow, good()]);
    let probes = started(&script);
    probes.targets().send_replace(targets(&["http://a"]));
    sleep(Duration::from_millis(100)).await;
    let (one, other) = tokio::join!(probes.ask_now("http://a"), probes.ask_now("http://a"));
    assert_eq!(one.unwrap().outcome, ProbeOutcome::Answered(200));
    assert_eq!(other.unwrap().outcome, ProbeOutcome::Answered(200));
    assert_eq!(script.times("http://a"), 2, "both wait for the same one");
    let results = Arc::clone(&probes.results().borrow());
    assert_eq!(beats(&results, "http://a"), 2, "what a person asked for counts as well");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_breaks_off_is_no_end() {
    let script = Script::default();
    script.says("http://good", [good()]);
    let prober = script.prober();
    let breaking: Prober = Arc::new(move |url| match url.as_str() {
        "http://broken" => Box::pin(async { panic!("a defect") }),
        _ => prober(url),
    });
    let probes = Probes::new(breaking);
    probes.start(CancellationToken::new());
    probes.targets().send_replace(targets(&["http://broken", "http://good"]));
    until(&probes, |results| beats(results, "http://good") == 2).await;
    assert!(probes.ask_now("http://broken").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn wishes_that_nobody_hears_are_refused() {
    let script = Script::default();
    script.says("http://a", [None]);
    let probes = Probes::new(script.prober());
    probes.targets().send_replace(targets(&["http://a"]));
    assert!(probes.ask_now("http://a").await.is_err(), "not started");
    let stop = CancellationToken::new();
    probes.start(stop.clone());
    let unknown = probes.ask_now("http://b").await.unwrap_err();
    assert_eq!(unknown.why, "no application here has this URL by now");
    let asked = tokio::spawn({
        let probes = probes.clone();
        async move { probes.ask_now("http://a").await }
    });
    sleep(Duration::from_secs(1)).await;
    stop.cancel();
    assert!(asked.await.unwrap().is_err(), "the end ends the waiting");
}
