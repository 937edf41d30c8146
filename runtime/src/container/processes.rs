//! The programs of a pod: each container's own guest, what was started beside it with exec, and what those started.
//!
//! A program is a Store and a task, as a container is; here it has a number, a parent and a way to end it. WASI knows no
//! signals: a program that is sent one is over, unless it is a shell that asks its terminal for interrupts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::SystemTime;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::verdict::{Exit, KILLED, STOPPED};

/// The exit code of a program that was interrupted: 128 and the number of SIGINT.
pub(crate) const INTERRUPTED: u8 = 130;
/// The number of a container's own guest, in its container.
const FIRST: u32 = 1;

/// Programs beside the guest, in one container at once.
const AT_ONCE: usize = 128;

/// Bytes of a command that are kept for who lists it, as many as Linux once kept.
const COMMAND: usize = 4096;

/// What can be sent to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Terminate,
    Kill,
    Interrupt,
}

impl Signal {
    fn code(self) -> u8 {
        match self {
            Signal::Terminate => STOPPED,
            Signal::Kill => KILLED,
            Signal::Interrupt => INTERRUPTED,
        }
    }
}

/// The container runs as many programs as it may.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("Resource temporarily unavailable: {AT_ONCE} programs run in the container")]
pub(crate) struct TooMany;

/// One program.
pub(crate) struct Process {
    /// Unique in the pod.
    key: u32,
    /// Zero: nobody's.
    parent: Mutex<u32>,
    /// The exec that it goes back to, and ends with when that is broken off.
    session: u32,
    container: Arc<str>,
    main: bool,
    pub(crate) command: Vec<String>,
    pub(crate) started: SystemTime,
    pub(crate) meter: Arc<Meter>,
    /// How it was told to end.
    stop: watch::Sender<Option<u8>>,
    exit: watch::Sender<Option<Exit>>,
    heeds_interrupts: AtomicBool,
}

/// What a program takes.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Nanoseconds.
    pub(crate) cpu: AtomicU64,
    /// Bytes.
    pub(crate) memory: AtomicU64,
}

impl Process {
    /// What `ps` calls it.
    pub(crate) fn id(&self) -> u32 {
        if self.main { FIRST } else { self.key }
    }

    pub(crate) fn container(&self) -> &str {
        &self.container
    }

    /// Whether the container's own guest started it, or what that has started: no exec.
    pub(crate) fn is_the_guests(&self) -> bool {
        self.session == 0
    }

    /// Completes when it was told to end, with the code to end with.
    pub(crate) async fn stopped(&self) -> u8 {
        let mut stop = self.stop.subscribe();
        // The sender is ours.
        let code = stop.wait_for(Option::is_some).await.ok().and_then(|code| *code);
        code.unwrap_or(KILLED)
    }

    /// Completes when it is over.
    pub(crate) async fn exited(&self) -> Exit {
        let mut exit = self.exit.subscribe();
        let exit = exit.wait_for(Option::is_some).await.ok().and_then(|exit| exit.clone());
        exit.unwrap_or(Exit::Code(KILLED))
    }

    pub(crate) fn exit(&self) -> Option<Exit> {
        self.exit.borrow().clone()
    }

    /// Whether it asks its terminal for interrupts, rather than end at the first.
    pub(crate) fn heeds_interrupts(&self) -> bool {
        self.heeds_interrupts.load(Relaxed)
    }

    pub(crate) fn heed_interrupts(&self) {
        self.heeds_interrupts.store(true, Relaxed);
    }

    /// Sends it a signal. One that heeds interrupts does not end of them.
    pub(crate) fn send(&self, signal: Signal) {
        if signal != Signal::Interrupt || !self.heeds_interrupts() {
            self.end(signal.code());
        }
    }

    fn end(&self, code: u8) {
        self.stop.send_if_modified(|stop| stop.is_none() && stop.replace(code).is_none());
    }
}

/// All programs of a pod. A clone is a handle to the same.
#[derive(Clone, Default)]
pub struct Processes(Arc<Mutex<Table>>);

#[derive(Default)]
struct Table {
    last: u32,
    running: BTreeMap<u32, Arc<Process>>,
}

impl Table {
    fn enter(&mut self, container: &Arc<str>, command: Vec<String>, by: Option<Parent<'_>>) -> Arc<Process> {
        self.last = self.last.max(FIRST) + 1;
        let key = self.last;
        let (parent, session) = match by {
            None => (0, 0),
            Some(Parent::Exec) => (0, key),
            Some(Parent::Program(parent)) => (parent.key, parent.session),
        };
        let process = Arc::new(Process {
            key,
            parent: Mutex::new(parent),
            session,
            container: container.clone(),
            main: by.is_none(),
            command: brief(command),
            started: SystemTime::now(),
            meter: Arc::default(),
            stop: watch::Sender::new(None),
            exit: watch::Sender::new(None),
            heeds_interrupts: AtomicBool::new(false),
        });
        self.running.insert(key, process.clone());
        process
    }
}

/// A command that may be of any length, as it is listed.
fn brief(mut command: Vec<String>) -> Vec<String> {
    let mut room = COMMAND;
    command.retain_mut(|word| {
        let end = (0..=room.min(word.len())).rev().find(|end| word.is_char_boundary(*end)).unwrap_or(0);
        let kept = room > 0;
        word.truncate(end);
        word.shrink_to_fit();
        room = room.saturating_sub(end + 1);
        kept
    });
    command.shrink_to_fit();
    command
}

/// Who starts a program.
#[derive(Clone, Copy)]
pub(crate) enum Parent<'a> {
    /// An exec.
    Exec,
    /// Another program.
    Program(&'a Process),
}

impl Processes {
    /// Takes a container's own guest into the table.
    pub(crate) fn begin_main(&self, container: &Arc<str>, command: Vec<String>) -> Arc<Process> {
        self.0.lock().enter(container, command, None)
    }

    /// Takes a program that runs beside it.
    pub(crate) fn begin(
        &self,
        container: &Arc<str>,
        command: Vec<String>,
        by: Parent<'_>,
    ) -> Result<Arc<Process>, TooMany> {
        let mut table = self.0.lock();
        if table.running.values().filter(|one| one.container == *container && !one.main).count() >= AT_ONCE {
            return Err(TooMany);
        }
        Ok(table.enter(container, command, Some(by)))
    }
    /// It is over: out of the table, and whoever waits for it is told. Its children are nobody's.
    pub(crate) fn finish(&self, process: &Process, exit: Exit) {
        let mut table = self.0.lock();
        table.running.remove(&process.key);
        for child in table.running.values() {
            let mut parent = child.parent.lock();
            if *parent == process.key {
                *parent = 0;
            }
        }
        drop(table);
        process.exit.send_if_modified(|was| was.is_none() && was.replace(exit).is_none());
    }

    /// Everything that runs, with the number of its parent.
    pub(crate) fn list(&self) -> Vec<(Arc<Process>, u32)> {
        let table = self.0.lock();
        let shown = |key: u32| table.running.get(&key).map_or(0, |parent| parent.id());
        table.running.values().map(|process| (process.clone(), shown(*process.parent.lock()))).collect()
    }

    /// Completes when none of the programs runs any more that now run beside this container's guest.
    pub(crate) async fn over(&self, container: &str) {
        let running: Vec<_> =
            self.0.lock().running.values().filter(|one| *one.container == *container && !one.main).cloned().collect();
        for process in running {
            process.exited().await;
        }
    }

    /// The program that somebody in `container` calls `id`.
    pub(crate) fn find(&self, container: &str, id: u32) -> Option<Arc<Process>> {
        let table = self.0.lock();
        let named = |one: &&Arc<Process>| one.id() == id && (!one.main || *one.container == *container);
        table.running.values().find(named).cloned()
    }

    /// Ends a program and all it has started that is still its own.
    pub(crate) fn end_tree(&self, process: &Process, code: u8) {
        let table = self.0.lock();
        let mut tree = vec![process.key];
        // A child has a higher number than its parent.
        for (key, one) in table.running.range(process.key..) {
            if tree.contains(&one.parent.lock()) && *key != process.key {
                tree.push(*key);
            }
        }
        for one in tree.iter().filter_map(|key| table.running.get(key)) {
            one.end(code);
        }
    }

    /// Ends an exec and everything that goes back to it.
    pub(crate) fn end_session(&self, process: &Process) {
        let table = self.0.lock();
        for one in table.running.values().filter(|one| one.session == process.session && one.session != 0) {
            one.end(KILLED);
        }
    }
}

/// A program's entry in the table, which it leaves when this is dropped, even when the runtime is.
pub(crate) struct Listed {
    processes: Processes,
    process: Arc<Process>,
    exit: Exit,
}

impl Listed {
    pub(crate) fn new(processes: &Processes, process: &Arc<Process>) -> Listed {
        Listed { processes: processes.clone(), process: process.clone(), exit: Exit::Code(KILLED) }
    }

    pub(crate) fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// It is over.
    pub(crate) fn finish(mut self, exit: Exit) {
        self.exit = exit;
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.processes.finish(&self.process, self.exit.clone());
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn ends(process: &Process) -> Option<u8> {
        process.stopped().now_or_never()
    }

    #[test]
    fn a_tree_ends_together_and_orphans_live_on() {
        let (pod, web): (_, Arc<str>) = (Processes::default(), "web".into());
        let begin = |by| pod.begin(&web, vec![], by).expect("room");
        let main = pod.begin_main(&web, vec![]);
        let shell = begin(Parent::Exec);
        let loop_ = begin(Parent::Program(&shell));
        let tool = begin(Parent::Program(&loop_));
        let other = begin(Parent::Program(&shell));
        assert_eq!((main.id(), shell.id()), (1, 3));
        pod.end_tree(&loop_, INTERRUPTED);
        assert_eq!([&shell, &loop_, &tool, &other].map(|one| ends(one)), [None, Some(130), Some(130), None]);
        pod.finish(&shell, Exit::Code(0));
        assert!(pod.list().iter().any(|(one, parent)| one.id() == other.id() && *parent == 0));
        pod.end_session(&shell);
        assert_eq!((ends(&other), ends(&main)), (Some(KILLED), None));
    }

    #[test]
    fn the_first_of_a_container_is_one() {
        let pod = Processes::default();
        let one = pod.begin_main(&"one".into(), vec![]);
        let two = pod.begin_main(&"two".into(), vec![]);
        assert!(Arc::ptr_eq(&pod.find("two", 1).expect("runs"), &two));
        assert!(Arc::ptr_eq(&pod.find("one", 1).expect("runs"), &one));
        assert!(pod.find("one", 3).is_none());
    }

    #[test]
    fn a_long_command_is_cut_for_the_list() {
        let words = brief(vec!["echo".into(), "\u{e9}".repeat(COMMAND), "lost".into()]);
        assert_eq!(words.len(), 2);
        assert!(words.concat().len() <= COMMAND);
    }

    #[test]
    fn a_container_has_its_share_of_programs() {
        let (pod, web): (_, Arc<str>) = (Processes::default(), "web".into());
        pod.begin_main(&web, vec![]);
        let all: Vec<_> = (0..AT_ONCE).map(|_| pod.begin(&web, vec![], Parent::Exec).expect("room")).collect();
        assert_eq!(pod.begin(&web, vec![], Parent::Exec).err(), Some(TooMany));
        pod.begin(&"other".into(), vec![], Parent::Exec).expect("its own share");
        pod.finish(&all[0], Exit::Code(0));
        pod.begin(&web, vec![], Parent::Exec).expect("room again");
    }
}
