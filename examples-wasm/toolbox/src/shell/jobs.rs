//! What runs in the background.

use crate::host::Process;

pub struct Job {
    /// `%1` and so on.
    pub number: usize,
    pub processes: Vec<Process>,
    pub text: String,
}

impl Job {
    /// The code it ended with, when all of it is over.
    pub fn ended(&self) -> Option<u8> {
        self.processes.iter().map(Process::try_wait).collect::<Option<Vec<_>>>()?.pop()
    }

    pub fn wait(&self) -> u8 {
        self.processes.iter().map(Process::wait).last().unwrap_or(0)
    }

    /// What `$!` is.
    pub fn id(&self) -> u32 {
        self.processes.last().map_or(0, Process::id)
    }
}

#[derive(Default)]
pub struct Jobs {
    all: Vec<Job>,
    last: Option<u32>,
}

impl Jobs {
    /// Its number.
    pub fn add(&mut self, processes: Vec<Process>, text: String) -> usize {
        let number = self.all.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        let job = Job { number, processes, text };
        self.last = Some(job.id());
        self.all.push(job);
        number
    }

    pub fn last_id(&self) -> Option<u32> {
        self.last
    }

    /// A subshell knows its parent's `$!`.
    pub fn set_last_id(&mut self, id: u32) {
        self.last = Some(id);
    }

    pub fn iter(&self) -> impl Iterator<Item = &Job> {
        self.all.iter()
    }

    /// The job of `%1`, `%%` or a program's number.
    pub fn find(&self, name: &str) -> Option<&Job> {
        match name.strip_prefix('%') {
            Some("" | "%" | "+") => self.all.last(),
            Some(number) => {
                let number = number.parse().ok()?;
                self.all.iter().find(|job| job.number == number)
            }
            None => {
                let id = name.parse().ok()?;
                self.all.iter().find(|job| job.processes.iter().any(|process| process.id() == id))
            }
        }
    }

    pub fn remove(&mut self, number: usize) {
        self.all.retain(|job| job.number != number);
    }

    /// Those that are over, with their codes; they are forgotten.
    pub fn reap(&mut self) -> Vec<(Job, u8)> {
        let all = std::mem::take(&mut self.all);
        let mut over = Vec::new();
        for job in all {
            match job.ended() {
                Some(code) => over.push((job, code)),
                None => self.all.push(job),
            }
        }
        over
    }
}
