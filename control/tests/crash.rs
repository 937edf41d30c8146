//! kill -9 in the middle of everything: what was acknowledged is there, and revisions never go backwards.
//!
//! The test starts itself as a child that writes from several tasks and prints each acknowledged write; it kills
//! the child at some moment, opens the file, compares, and goes on with the next child on the same file.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use control::store::{Class, Config, Draft, Expect, Key, Revision, Store, Write};
use libtest_mimic::{Arguments, Trial};
use serde_json::json;

const ROUNDS: u64 = 20;
const WRITERS: u32 = 8;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|a| a == "--child") {
        child(Path::new(&arguments[at + 1]));
        return ExitCode::SUCCESS;
    }
    let test = Trial::test("what_was_acknowledged_survives", || {
        parent();
        Ok(())
    });
    libtest_mimic::run(&Arguments::from_args(), vec![test]).exit_code()
}

fn parent() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let mut last = Last::default();
    for round in 0..ROUNDS {
        // From before the first write to well into the thousands.
        let patience = Duration::from_millis(5 + (round * 37) % 150);
        last.note(run_and_kill(&path, patience));
        last.check(&path);
    }
    assert!(last.acknowledged > 100, "only {} writes in all rounds", last.acknowledged);
    println!("{} acknowledged writes survived {ROUNDS} kills", last.acknowledged);
}

/// One line of a child: `key revision counter`.
struct Acknowledged {
    name: String,
    revision: Revision,
    counter: u64,
}

fn run_and_kill(path: &Path, patience: Duration) -> Vec<Acknowledged> {
    let me = std::env::current_exe().unwrap();
    let mut child = Command::new(me).arg("--child").arg(path).stdout(Stdio::piped()).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let (line, lines) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        // A line that was cut by the kill was acknowledged as well, but nobody can say what it was.
        BufReader::new(output).lines().map_while(Result::ok).for_each(|l| drop(line.send(l)));
    });
    let first = lines.recv_timeout(Duration::from_secs(10)).expect("the child writes");
    let deadline = std::time::Instant::now() + patience;
    let mut all = vec![first];
    while let Ok(next) = lines.recv_timeout(deadline.saturating_duration_since(std::time::Instant::now())) {
        all.push(next);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    all.extend(lines.try_iter());
    all.iter().filter_map(|l| parse(l)).collect()
}

fn parse(line: &str) -> Option<Acknowledged> {
    let mut words = line.strip_suffix('.')?.split(' ');
    let (name, revision, counter) = (words.next()?, words.next()?, words.next()?);
    Some(Acknowledged {
        name: name.to_owned(),
        revision: Revision(revision.parse().ok()?),
        counter: counter.parse().ok()?,
    })
}

/// What the file must have.
#[derive(Default)]
struct Last {
    durable: BTreeMap<String, (Revision, u64)>,
    highest: Revision,
    acknowledged: usize,
}

impl Last {
    fn note(&mut self, round: Vec<Acknowledged>) {
        let before = self.highest;
        for done in round {
            assert!(done.revision > before, "{} was handed out before", done.revision);
            self.highest = self.highest.max(done.revision);
            self.acknowledged += 1;
            if !done.name.starts_with("lease") {
                self.durable.insert(done.name, (done.revision, done.counter));
            }
        }
    }

    fn check(&mut self, path: &Path) {
        let store = open(path);
        assert!(store.revision() >= self.highest, "{} < {}", store.revision(), self.highest);
        for (name, (revision, counter)) in &self.durable {
            let entry = store.get(&key(name)).unwrap_or_else(|| panic!("{name} is lost"));
            let found = entry.value()["counter"].as_u64().unwrap();
            // The write after the last acknowledged one may have made it.
            assert!(
                entry.revision >= *revision && (found == *counter || found == counter + 1),
                "{name}: {found} {counter}"
            );
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(store.close());
    }
}

fn open(path: &Path) -> Store {
    Store::open(Config { path: Some(path.into()), ..Config::default() }).unwrap()
}

fn key(name: &str) -> Key {
    Key::new(if name.starts_with("lease") { "leases.coordination.k8s.io" } else { "configmaps" }, "default", name)
}

/// Writes until it is killed.
fn child(path: &Path) {
    let store = open(path);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let writers = (0..WRITERS).map(|i| {
            let (name, class) =
                if i == 0 { ("lease".to_owned(), Class::Volatile) } else { (format!("object-{i}"), Class::Durable) };
            tokio::spawn(count_up(store.clone(), name, class))
        });
        futures::future::join_all(writers).await;
    });
}

async fn count_up(store: Store, name: String, class: Class) {
    let key = key(&name);
    loop {
        let present = store.get(&key);
        let counter = present.as_ref().map_or(0, |e| e.value()["counter"].as_u64().unwrap()) + 1;
        let expect = present.map_or(Expect::Absent, |e| Expect::At(e.revision));
        let draft = Draft::new(&json!({"metadata": {"name": name}, "counter": counter, "padding": "x".repeat(3000)}));
        let entry = store.write(Write::Put { key: key.clone(), expect, draft, class }).await.unwrap();
        // The full stop tells a whole line from one that was cut.
        if writeln!(std::io::stdout(), "{name} {} {counter}.", entry.revision).is_err() {
            return;
        }
    }
}
