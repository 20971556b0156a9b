//! Whether every job can still end.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use stateright::Model;

use crate::world::{Protocol, World};

/// A state that can be reached, and from which no end can be reached with nothing more going wrong and nobody revoking.
pub(crate) fn stuck(protocol: &Protocol) -> Option<World> {
    let mut worlds: Vec<World> = protocol.init_states();
    // By a hash, as the checker does: the worlds themselves are kept once.
    let hasher = RandomState::new();
    let fingerprint = |world: &World| hasher.hash_one(world);
    let mut known: HashMap<u64, usize> = HashMap::new();
    for (index, world) in worlds.iter().enumerate() {
        known.insert(fingerprint(world), index);
    }
    // From which states a state is reached by what happens by itself.
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); worlds.len()];
    let mut next = 0;
    while next < worlds.len() {
        let mut actions = Vec::new();
        protocol.actions(&worlds[next], &mut actions);
        for action in actions {
            let Some(world) = protocol.next_state(&worlds[next], action) else {
                continue;
            };
            let after = *known.entry(fingerprint(&world)).or_insert_with(|| {
                worlds.push(world);
                before.push(Vec::new());
                worlds.len() - 1
            });
            if action.is_fair() {
                before[after].push(next);
            }
        }
        next += 1;
    }
    let ended = |world: &World| world.record.status.is_terminal() && world.events == 1;
    let mut can_end: Vec<bool> = worlds.iter().map(ended).collect();
    let mut found: Vec<usize> = (0..worlds.len()).filter(|index| can_end[*index]).collect();
    while let Some(index) = found.pop() {
        for earlier in &before[index] {
            if !can_end[*earlier] {
                can_end[*earlier] = true;
                found.push(*earlier);
            }
        }
    }
    let first = can_end.iter().position(|can_end| !can_end)?;
    Some(worlds.swap_remove(first))
}
