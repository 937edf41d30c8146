//! How much address space guests get, chosen from what the machine has.
//!
//! Code is fastest when a memory's slot is 4 GiB: no address that a 32-bit guest can form leaves it, so nothing needs a
//! check. Ten thousand of those take 40 TiB, which a desktop's 47 bits have to spare and a Raspberry Pi's 39 bits
//! (or `ulimit -v`) do not. Smaller slots then carry bounds checks; they also are the most memory that a guest can have.

/// A layout of guest memory. It is compiled into the guests' code, so each plan has its own cache of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Guests at once.
    pub slots: u32,
    /// Bytes of address space a memory, which is the most that a guest can grow to.
    pub reservation: u64,
    /// Bytes after each memory that fault when they are touched.
    pub guard: u64,
}

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The stack of a guest's task. Only what it touches is ever resident.
pub(super) const STACK: u64 = MIB;

/// Tables, three a guest, of 20,000 elements of 8 bytes.
const TABLES: u64 = 3 * 160_000;

const PLANS: [Plan; 5] = [
    Plan { slots: 10_000, reservation: 4 * GIB, guard: 32 * MIB },
    Plan { slots: 1_500, reservation: 256 * MIB, guard: MIB },
    Plan { slots: 1_500, reservation: 64 * MIB, guard: MIB },
    Plan { slots: 400, reservation: 64 * MIB, guard: MIB },
    Plan { slots: 100, reservation: 32 * MIB, guard: MIB },
];

impl Plan {
    /// Address space that the plan takes, all told.
    pub fn total(&self) -> u64 {
        u64::from(self.slots) * (self.reservation + self.guard + STACK + TABLES)
    }
}

/// The plans worth trying, the best first. Under a `limit` on address space (`RLIMIT_AS`) a quarter of it is left to
/// the rest of the process: mapped code and files, threads, heaps.
pub fn candidates(limit: Option<u64>, instances: Option<u32>) -> impl Iterator<Item = Plan> {
    PLANS
        .into_iter()
        .map(move |plan| Plan { slots: plan.slots.min(instances.unwrap_or(u32::MAX)).max(1), ..plan })
        .filter(move |plan| limit.is_none_or(|limit| plan.total() <= limit / 4 * 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(limit: Option<u64>) -> Option<Plan> {
        candidates(limit, None).next()
    }

    #[test]
    fn a_machine_without_a_limit_gets_whole_slots() {
        assert_eq!(first(None), Some(PLANS[0]));
    }

    #[test]
    fn half_a_tebibyte_holds_a_thousand_pods_and_more() {
        let plan = first(Some(512 * GIB)).unwrap();
        assert_eq!((plan.slots, plan.reservation), (1_500, 256 * MIB));
    }

    #[test]
    fn plans_shrink_with_the_limit_down_to_none() {
        assert_eq!(first(Some(160 * GIB)).unwrap().reservation, 64 * MIB);
        assert_eq!(first(Some(40 * GIB)).unwrap().slots, 400);
        assert_eq!(first(Some(GIB)), None);
    }

    #[test]
    fn fewer_instances_let_a_roomier_plan_fit() {
        let plan = candidates(Some(512 * GIB), Some(50)).next().unwrap();
        assert_eq!((plan.slots, plan.reservation), (50, 4 * GIB));
    }
}
