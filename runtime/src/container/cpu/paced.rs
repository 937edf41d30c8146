//! A guest's future that keeps to its container's account.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::time::Sleep;

use super::super::processes::Meter;
use super::Account;
use crate::engine::fair::Ticket;
use crate::engine::slice;

pin_project_lite::pin_project! {
    /// Made by [`Account::paced`].
    pub(crate) struct Paced<F> {
        pace: Pace,
        #[pin]
        guest: F,
    }
}

/// All but the guest.
struct Pace {
    account: Arc<Account>,
    meter: Arc<Meter>,
    /// Over the limit.
    held: Option<Pin<Box<Sleep>>>,
    turn: Turn,
}

/// How it stands to the other busy guests.
enum Turn {
    /// It waits for nobody.
    Free,
    /// It was cut short: it needs a turn to go on.
    Cut,
    InLine(Arc<Ticket>),
    /// Until the end of this poll.
    Taken(Arc<Ticket>),
}

impl<F: Future> Paced<F> {
    pub(super) fn new(account: Arc<Account>, meter: Arc<Meter>, guest: F) -> Paced<F> {
        Paced { pace: Pace { account, meter, held: None, turn: Turn::Free }, guest }
    }
}

impl<F: Future> Future for Paced<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let begun = ready!(this.pace.poll_turn(cx));
        let (polled, spent) = slice::measure(begun, || this.guest.poll(cx));
        this.pace.account.charge(&this.pace.meter, spent.nanos);
        this.pace.end(spent.cut && polled.is_pending(), cx);
        polled
    }
}

impl Pace {
    /// Ready when the guest may run, with the time it is then.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let mut now = Instant::now();
        while let Some(until) = self.account.held_until(now) {
            ready!(self.poll_hold(until, cx));
            now = Instant::now();
        }
        self.held = None;
        if matches!(self.turn, Turn::Cut) || matches!(self.turn, Turn::Free) && self.account.is_ahead() {
            self.line_up(cx);
        }
        if let Turn::InLine(ticket) = &self.turn {
            if !ticket.is_called(cx.waker()) {
                return Poll::Pending;
            }
            self.turn = Turn::Taken(Arc::clone(ticket));
        }
        Poll::Ready(now)
    }

    fn line_up(&mut self, cx: &mut Context<'_>) {
        let over = match &self.turn {
            Turn::Taken(ticket) => Some(&**ticket),
            _ => None,
        };
        self.turn = Turn::InLine(self.account.fair.join(over, &self.account.time, cx.waker()));
    }

    fn poll_hold(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        // A place in line, or a turn, is of no use to one that may not run.
        self.step_out();
        let account = &self.account;
        let held = self.held.get_or_insert_with(|| {
            account.throttled.fetch_add(1, Relaxed);
            Box::pin(tokio::time::sleep_until(until.into()))
        });
        if held.deadline() != until.into() {
            held.as_mut().reset(until.into());
        }
        held.as_mut().poll(cx)
    }

    /// One that was cut short lines up at once.
    fn end(&mut self, cut: bool, cx: &mut Context<'_>) {
        match &self.turn {
            _ if cut => self.line_up(cx),
            Turn::Taken(ticket) => {
                self.account.fair.leave(ticket);
                self.turn = Turn::Free;
            }
            _ => {}
        }
    }

    fn step_out(&mut self) {
        if let Turn::InLine(ticket) = &self.turn {
            self.account.fair.leave(ticket);
            self.turn = Turn::Cut;
        }
    }
}

impl Drop for Pace {
    fn drop(&mut self) {
        match &self.turn {
            Turn::InLine(ticket) | Turn::Taken(ticket) => self.account.fair.leave(ticket),
            Turn::Free | Turn::Cut => {}
        }
    }
}
