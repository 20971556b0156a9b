//! Dense answers in double-double arithmetic, made without regard to cost.

use ownership::Network;

/// The sum of two floats, the second below half a unit of the first: 106 bits
/// (Dekker 1971).
#[derive(Clone, Copy, Debug)]
pub struct Double(pub f64, f64);

impl Double {
    pub const ZERO: Self = Self(0.0, 0.0);
    pub const ONE: Self = Self(1.0, 0.0);

    fn sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        let part = sum - a;
        Self(sum, (a - (sum - part)) + (b - part))
    }

    /// A decimal in units of `1e-18`.
    pub fn units(units: u64) -> Self {
        let (high, low) = (units >> 32, units & 0xffff_ffff);
        let units = Self::sum(high as f64 * 4_294_967_296.0, low as f64);
        units.divided_by(Self(1e18, 0.0))
    }

    pub fn plus(self, other: Self) -> Self {
        let Self(high, low) = Self::sum(self.0, other.0);
        let Self(high, low) = Self::sum(high, low + self.1 + other.1);
        Self(high, low)
    }

    pub fn minus(self, other: Self) -> Self {
        self.plus(Self(-other.0, -other.1))
    }

    pub fn times(self, other: Self) -> Self {
        let high = self.0 * other.0;
        let low = self.0.mul_add(other.0, -high) + self.0 * other.1 + self.1 * other.0;
        Self::sum(high, low)
    }

    pub fn divided_by(self, other: Self) -> Self {
        let first = Self(self.0 / other.0, 0.0);
        let rest = self.minus(other.times(first));
        let second = Self(rest.0 / other.0, 0.0);
        let rest = rest.minus(other.times(second));
        first.plus(second).plus(Self(rest.0 / other.0, 0.0))
    }
}

/// A matrix by rows.
pub type Matrix = Vec<Vec<Double>>;

/// `(I - W)^-1` by elimination with pivots; `None` where a pivot vanishes.
pub fn resolvent(w: &Matrix) -> Option<Matrix> {
    let size = w.len();
    let entry = |i: usize, j: usize| if i == j { Double::ONE } else { Double::ZERO };
    let mut rows: Matrix = (0..size)
        .map(|i| {
            let left = (0..size).map(|j| entry(i, j).minus(w[i][j]));
            left.chain((0..size).map(|j| entry(i, j))).collect()
        })
        .collect();
    for k in 0..size {
        let pivot = (k..size).max_by(|&a, &b| rows[a][k].0.abs().total_cmp(&rows[b][k].0.abs()))?;
        rows.swap(k, pivot);
        if rows[k][k].0.abs() < 1e-22 {
            return None;
        }
        let pivot = rows[k][k];
        rows[k].iter_mut().for_each(|x| *x = x.divided_by(pivot));
        let row = rows[k].clone();
        for (i, other) in rows.iter_mut().enumerate() {
            let factor = other[k];
            if i != k && factor.0 != 0.0 {
                other
                    .iter_mut()
                    .zip(&row)
                    .for_each(|(x, y)| *x = x.minus(factor.times(*y)));
            }
        }
    }
    Some(rows.into_iter().map(|row| row[size..].to_vec()).collect())
}

/// What is to be found for a network whose matrix is known exactly.
pub struct Expected {
    /// V, owners by companies; groups of closed components come after companies.
    pub v: Matrix,
    /// The group of each company in a closed component.
    pub group: Vec<Option<usize>>,
    /// Whether some column in use sums to more than one.
    pub dirty: bool,
}

impl Expected {
    /// Solves `w`, after closed components were found by the sign of
    /// `(I - W_c)^-1 1` and put together.
    pub fn of(w: &Matrix) -> Self {
        let size = w.len();
        let component = components(w);
        let mut group = vec![None; size];
        let mut closed: Vec<Vec<usize>> = Vec::new();
        for start in (0..size).filter(|&start| component[start] == start) {
            let members: Vec<usize> = (0..size).filter(|&i| component[i] == start).collect();
            let block: Matrix = members
                .iter()
                .map(|&i| members.iter().map(|&j| w[i][j]).collect())
                .collect();
            if !has_positive_inverse(&block) {
                closed.push(members);
            }
        }
        closed.sort_by_key(|members| (std::cmp::Reverse(members.len()), members[0]));
        for (number, members) in closed.iter().enumerate() {
            members.iter().for_each(|&member| group[member] = Some(number));
        }
        let whole = size + closed.len();
        let mut fenced = vec![vec![Double::ZERO; whole]; whole];
        for (i, row) in w.iter().enumerate() {
            for (j, &share) in row.iter().enumerate().filter(|&(j, _)| group[j].is_none()) {
                let owner = group[i].map_or(i, |number| size + number);
                fenced[owner][j] = fenced[owner][j].plus(share);
            }
        }
        let sum = |j: usize| fenced.iter().map(|row| row[j].0).sum::<f64>();
        let dirty = (0..size).any(|j| sum(j) > 1.0 + 1e-12);
        Self {
            v: resolvent(&fenced).unwrap(),
            group,
            dirty,
        }
    }
}

fn has_positive_inverse(block: &Matrix) -> bool {
    let Some(v) = resolvent(block) else { return false };
    v.iter().all(|row| {
        let sum = row.iter().fold(Double::ZERO, |sum, &x| sum.plus(x)).0;
        sum > 0.0 && sum < 1e20
    })
}

/// The smallest company that each one is in a cycle with.
fn components(w: &Matrix) -> Vec<usize> {
    let size = w.len();
    let mut reach: Vec<Vec<bool>> = (0..size)
        .map(|i| (0..size).map(|j| i == j || w[i][j].0 > 0.0).collect())
        .collect();
    for k in 0..size {
        for i in 0..size {
            for j in 0..size {
                reach[i][j] |= reach[i][k] && reach[k][j];
            }
        }
    }
    (0..size)
        .map(|i| (0..size).find(|&j| reach[i][j] && reach[j][i]).unwrap())
        .collect()
}

/// The matrix of stakes in units, by the ids of a network.
pub fn matrix<'a>(network: &Network, stakes: impl IntoIterator<Item = (&'a str, &'a str, u64)>) -> Matrix {
    let mut w = vec![vec![Double::ZERO; network.len()]; network.len()];
    for (owner, owned, units) in stakes {
        let (i, j) = (
            network.find(owner).unwrap() as usize,
            network.find(owned).unwrap() as usize,
        );
        w[i][j] = w[i][j].plus(Double::units(units));
    }
    w
}
