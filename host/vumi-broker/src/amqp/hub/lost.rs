//! What a lost connection left behind: messages that RabbitMQ will deliver again.
//!
//! When a connection is lost, RabbitMQ puts everything back that was not acknowledged over it, and delivers it again,
//! to this process or to another one. A worker may be in the middle of such a message; if the second copy were handed
//! out, it would be handled twice at the same time. So each message that is left behind is noted by its body, and when
//! a copy comes it takes the place of the one that was lost:
//! - `Held`: a worker still has it. The copy is not handed out; settling the first one settles the copy.
//! - `Waiting`: it was here and waited. The copy waits in its place, with its attempts and its delay.
//! - `Ended`: a worker was done with it, but the acknowledgement could not be sent. The copy is acknowledged.
//!
//! A copy that RabbitMQ gives to another host never comes here; so notes are kept for a while only, and not more than
//! so many. Without a note a copy is a message like any other: it is handled twice, which the ids make harmless.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

/// How long a note is kept: RabbitMQ may take minutes to notice that a connection is lost.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// Notes at most.
const MAX: usize = 10_000;

/// See the module's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Held,
    Waiting {
        attempts: u32,
        /// When it may be handed out again.
        due: Option<Instant>,
    },
    Ended,
}

/// See the module's text.
#[derive(Default)]
pub(crate) struct Lost {
    /// By the print of the body, then by number: of the same bodies, the oldest is taken first.
    notes: HashMap<u64, BTreeMap<u64, Note>>,
    /// Each note that was made, the oldest first; some are not there any more.
    made: VecDeque<Made>,
    /// How many are there.
    live: usize,
    /// Counts the notes.
    next: u64,
}

#[derive(Clone, Copy)]
struct Note {
    fate: Fate,
    serial: u64,
}

struct Made {
    when: Instant,
    print: u64,
    id: u64,
    serial: u64,
}

impl Lost {
    /// Notes, or notes anew, what became of a message.
    pub(crate) fn note(&mut self, print: u64, id: u64, fate: Fate) {
        let same = self.notes.entry(print).or_default();
        if let Some(note) = same.get_mut(&id) {
            note.fate = fate;
            return;
        }
        let (when, serial) = (Instant::now(), self.next);
        self.next += 1;
        same.insert(id, Note { fate, serial });
        self.live += 1;
        self.made.push_back(Made { when, print, id, serial });
        while let Some(oldest) = self.made.front()
            && (self.live > MAX || self.made.len() > 2 * MAX || when.duration_since(oldest.when) > KEPT_FOR)
        {
            let Made { print, id, serial, .. } = *oldest;
            self.made.pop_front();
            if self.notes.get(&print).and_then(|same| same.get(&id)).is_some_and(|note| note.serial == serial) {
                self.forget(print, id);
            }
        }
    }

    /// A copy of a message came: what it is a copy of. One that is over is only met by a message that RabbitMQ says it
    /// delivers again.
    pub(crate) fn found(&mut self, print: u64, redelivered: bool) -> Option<(u64, Fate)> {
        let same = self.notes.get(&print)?;
        let alive = same.iter().find(|(_, note)| note.fate != Fate::Ended);
        let (id, note) = alive.or_else(|| same.first_key_value().filter(|_| redelivered))?;
        let (id, fate) = (*id, note.fate);
        self.forget(print, id);
        Some((id, fate))
    }

    fn forget(&mut self, print: u64, id: u64) {
        let Some(same) = self.notes.get_mut(&print) else { return };
        self.live -= usize::from(same.remove(&id).is_some());
        if same.is_empty() {
            self.notes.remove(&print);
        }
    }

    /// How many are noted.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.live
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_the_same_bodies_is_found_first_and_each_once() {
        let mut lost = Lost::default();
        lost.note(7, 2, Fate::Held);
        lost.note(7, 1, Fate::Ended);
        lost.note(7, 3, Fate::Waiting { attempts: 4, due: None });
        assert_eq!(lost.found(8, true), None);
        assert_eq!(lost.found(7, false), Some((2, Fate::Held)), "what is alive goes before what is over");
        assert_eq!(lost.found(7, false), Some((3, Fate::Waiting { attempts: 4, due: None })));
        assert_eq!(lost.found(7, false), None, "a message that was never delivered is none that is over");
        assert_eq!(lost.found(7, true), Some((1, Fate::Ended)));
        assert_eq!((lost.found(7, true), lost.len()), (None, 0));
    }

    #[test]
    fn a_note_is_changed_in_place() {
        let mut lost = Lost::default();
        lost.note(7, 1, Fate::Held);
        lost.note(7, 1, Fate::Ended);
        assert_eq!(lost.len(), 1);
        assert_eq!(lost.found(7, true), Some((1, Fate::Ended)));
    }

    #[tokio::test(start_paused = true)]
    async fn notes_are_bounded_in_number_and_time() {
        let mut lost = Lost::default();
        (0..10_010).for_each(|id| lost.note(id, id, Fate::Held));
        assert_eq!(lost.len(), 10_000);
        assert_eq!(lost.found(9, true), None);
        tokio::time::advance(Duration::from_secs(601)).await;
        lost.note(1, 20_000, Fate::Held);
        assert_eq!(lost.len(), 1);
        assert_eq!(lost.found(10_009, true), None);
    }
}
