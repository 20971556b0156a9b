//! Bounds in a ring of companies, approached from the side on which every step is a bound.

use super::column::{Bound, most, product};

/// Steps after which an approach ends; a slow one is a bound all the same.
const STEPS: usize = 2_000;

/// Changes below this, relatively, end an approach.
const STILL: f64 = 1e-15;

/// A member of a ring: its stakes by whoever holds them.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    /// (position in the ring, stake)
    pub(super) inside: Vec<(usize, Bound)>,
    /// What the owner holds of an outside holder at least and at most, and the stake.
    pub(super) outside: Vec<(f64, f64, Bound)>,
    /// What the lower bounds of all its stakes leave of it.
    pub(super) room: f64,
    /// Whether its stakes sum to more than one.
    pub(super) over: bool,
}

/// `V[u][j]` at least, for all members j; `own` is the position of u, if it is a member.
///
/// Gauss-Seidel steps of `x = e_u + x l` from zero: they rise, and stay below the solution.
pub(super) fn least(members: &[Member], own: Option<usize>) -> Vec<f64> {
    let mut x = vec![0.0; members.len()];
    for _ in 0..STEPS {
        let mut still = true;
        for (position, member) in members.iter().enumerate() {
            let inside = member.inside.iter().map(|&(at, stake)| product(x[at], stake.lower));
            let outside = member
                .outside
                .iter()
                .map(|&(least, _, stake)| product(least, stake.lower));
            let next = f64::from(u8::from(own == Some(position))) + outside.sum::<f64>() + inside.sum::<f64>();
            if next > x[position] {
                still &= next - x[position] <= STILL * next;
                x[position] = next;
            }
        }
        if still {
            break;
        }
    }
    x
}

/// `V[u][j]` at most, for all members j.
///
/// Gauss-Seidel steps of `h = T h` from the largest h outside, below which no column of at most one can rise: they
/// fall, and stay above the solution.
pub(super) fn greatest(members: &[Member], own: Option<usize>) -> Vec<f64> {
    if members.iter().any(|member| member.over) {
        return vec![f64::INFINITY; members.len()];
    }
    let outside = members.iter().flat_map(|member| &member.outside);
    let outside = outside.map(|&(_, most, _)| most).fold(0.0, f64::max);
    let start = if own.is_some() { outside.max(1.0) } else { outside };
    let mut h = vec![start; members.len()];
    if let Some(own) = own {
        h[own] = 1.0;
    }
    let mut stakes = Vec::new();
    let mut step = |h: &[f64], member: &Member| {
        stakes.clear();
        stakes.extend(member.inside.iter().map(|&(at, stake)| (h[at], stake)));
        stakes.extend(member.outside.iter().map(|&(_, most, stake)| (most, stake)));
        most(&mut stakes, member.room)
    };
    for _ in 0..STEPS {
        let mut still = true;
        for (position, member) in members.iter().enumerate() {
            if own == Some(position) {
                continue;
            }
            let next = step(&h, member);
            if next < h[position] {
                still &= h[position] - next <= STILL * h[position];
                h[position] = next;
            }
        }
        if still {
            break;
        }
    }
    if let Some(own) = own {
        let back = step(&h, &members[own]);
        let times = if back < 1.0 { 1.0 / (1.0 - back) } else { f64::INFINITY };
        h.iter_mut().for_each(|h| *h = product(times, *h));
    }
    h
}
