//! Inverses of M-matrices without subtraction.
//!
//! A component has shares `a[i][j]` among its companies and a leak `d[j] =
//! 1 - sum_i w[i][j]`, the part of company j that is held from outside or
//! undisclosed. The matrix to invert is `M = I - W`. Its diagonal is
//!
//! ```text
//! M[j][j] = 1 - w[j][j] = d[j] + sum over i != j of a[i][j]
//! ```
//!
//! so it follows from leaks and off-diagonal shares by addition alone, and own
//! shares `w[j][j]` cancel: they are in neither. Eliminating company k leaves
//! a matrix of the same kind. With `p = d[k] + sum_i a[i][k]`, for i, j != k,
//!
//! ```text
//! a'[i][j] = a[i][j] + a[i][k] a[k][j] / p
//! d'[j]    = d[j]    + d[k]    a[k][j] / p
//! ```
//!
//! which says: what k holds of j belongs to those who hold k, in proportion.
//! Where leaks are not negative, no operation subtracts and every entry of the
//! inverse has a small relative error however close the component is to closed
//! (Grassmann, Taksar, Heyman 1985; with leaks: Alfa, Xue, Ye 2002). The same holds
//! for blocks, with `V = M^-1` and every product one of nonnegative matrices:
//!
//! ```text
//! V11  = inverse(A11, d1 + colsum(A21))      B = V11 A12     C = A21 V11
//! A22' = A22 + A21 B                         d2' = d2 + d1^T B
//! V22  = inverse(A22', d2')
//! V12  = B V22     V21 = V22 C               V11 += V12 C
//! ```
//!
//! The leak d2' is what it is because `1^T M = d^T`: from the first block
//! column `1^T A21 = 1^T M11 - d1^T`, hence `1^T C = 1^T - d1^T V11`, and the
//! column sums of `M22 - A21 B` are `d2 + 1^T A12 - 1^T C A12 = d2 + d1^T B`.
//!
//! **Leaks below zero** come from columns over one that were kept. Then the
//! additions may cancel. The pivots are still those of elimination, and a
//! matrix with nonpositive off-diagonal entries has a nonnegative inverse
//! exactly when all of them are positive (Berman, Plemmons 1994, chapter 6,
//! theorem 2.3), so the first pivot that is not says that there is no inverse.
//!
//! Cost: `2 n^3` operations, in blocks nearly all of them matrix products, and
//! memory for `2/3 n^2` numbers besides the matrix.

use nalgebra::{DMatrix, DMatrixView, DMatrixViewMut, DVector};

use crate::factors::{Factors, UNBLOCKED};
use crate::{Progress, Stopped};

/// Multiplications between two calls of `step`, on each thread: a tenth of a
/// second or so.
const PANEL: usize = 1 << 32;

/// Multiplications of a product that are not worth a second thread.
const ALONE: usize = 1 << 20;

/// Products of fewer columns are left to a whole panel.
const FEWEST: usize = 8;

/// A pivot smaller than this part of the shares it is made of, after leaks
/// below zero were taken off, is indistinguishable from zero.
const CANCELLED: f64 = 1e-12;

/// The resolvent `(I - W)^-1` of a dense matrix, or `None` if no inverse without
/// negative entries exists.
///
/// # Arguments
///
/// * `shares`: W, n x n, column by column; not negative. Its diagonal is not read.
/// * `leaks`: `1 - sum` of each column, the diagonal included in the sum.
///
/// # Errors
///
/// [`Error::Stopped`](crate::Error::Stopped) when `progress` says so.
///
/// # Panics
///
/// If `shares` has not the square of the length of `leaks`.
pub fn dense_resolvent(
    shares: Vec<f64>,
    leaks: Vec<f64>,
    progress: &mut Progress<'_>,
) -> Result<Option<Vec<f64>>, crate::Error> {
    let size = leaks.len();
    let total = operations(size);
    let mut done = 0.0;
    let shares = DMatrix::from_vec(size, size, shares);
    let v = inverse(shares, DVector::from_vec(leaks), &mut |operations| {
        done += operations;
        progress((done / total).min(1.0))
    })?;
    Ok(v.map(|v| v.data.into()))
}

/// Operations of the inverse of a matrix of that size.
pub(crate) fn operations(size: usize) -> f64 {
    2.0 * (size as f64).powi(3)
}

/// Inverts `I - W` of one component, or says that it has no nonnegative inverse.
///
/// # Arguments
///
/// * `shares`: W, n x n; its diagonal is not read.
/// * `leaks`: for each column `1 - sum`, the diagonal included in the sum.
/// * `step`: called with the operations done since the last call.
///
/// # Errors
///
/// What `step` returns.
pub(crate) fn inverse(
    shares: DMatrix<f64>,
    leaks: DVector<f64>,
    step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
) -> Result<Option<DMatrix<f64>>, Stopped> {
    let mut matrix = shares;
    let mut scratch = vec![0.0; scratch_len(leaks.len())];
    let is_inverse = invert(matrix.as_view_mut(), leaks, &mut scratch, step)?;
    Ok(is_inverse.then_some(matrix))
}

/// Puts V in the place of W, block by block; false if there is none.
///
/// B and C lie in `scratch` while the second half is inverted; all else is done in the matrix itself.
fn invert(
    mut matrix: DMatrixViewMut<'_, f64>,
    leaks: DVector<f64>,
    scratch: &mut [f64],
    step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
) -> Result<bool, Stopped> {
    let size = leaks.len();
    if size <= UNBLOCKED {
        step(operations(size))?;
        let Some(factors) = Factors::of_few(matrix.iter().copied().collect(), leaks.data.into()) else {
            return Ok(false);
        };
        factors.unit_solutions(|column, x| matrix.column_mut(column).copy_from_slice(x));
        return Ok(true);
    }
    let first = half(size);
    let (mut left, mut right) = matrix.columns_range_pair_mut(..first, first..);
    let (mut a11, a21) = left.rows_range_pair_mut(..first, first..);
    let (a12, mut a22) = right.rows_range_pair_mut(..first, first..);
    let leaks1 = leaks.rows_range(..first);
    let mut leaks2 = leaks.rows_range(first..).into_owned();

    if !invert(a11.as_view_mut(), leaks1 + a21.row_sum_tr(), scratch, step)? {
        return Ok(false);
    }
    let v11 = a11;
    let (b, scratch) = scratch.split_at_mut(a12.len());
    let (c, scratch) = scratch.split_at_mut(a21.len());
    let mut b = DMatrixViewMut::from_slice(b, a12.nrows(), a12.ncols());
    let mut c = DMatrixViewMut::from_slice(c, a21.nrows(), a21.ncols());
    multiply(&mut b, 0.0, &v11.as_view(), &a12.as_view(), step)?;
    multiply(&mut c, 0.0, &a21.as_view(), &v11.as_view(), step)?;
    multiply(&mut a22, 1.0, &a21.as_view(), &b.as_view(), step)?;
    leaks2 += b.tr_mul(&leaks1);

    if !invert(a22.as_view_mut(), leaks2, scratch, step)? {
        return Ok(false);
    }
    let (mut v11, mut v12, mut v21, v22) = (v11, a12, a21, a22);
    multiply(&mut v12, 0.0, &b.as_view(), &v22.as_view(), step)?;
    multiply(&mut v21, 0.0, &v22.as_view(), &c.as_view(), step)?;
    multiply(&mut v11, 1.0, &v12.as_view(), &c.as_view(), step)?;
    Ok(true)
}

/// The size of the first block.
fn half(size: usize) -> usize {
    (size / 2).next_multiple_of(8)
}

/// How much [`invert`] needs besides the matrix: two thirds of it.
fn scratch_len(size: usize) -> usize {
    if size <= UNBLOCKED {
        return 0;
    }
    let (first, second) = (half(size), size - half(size));
    scratch_len(first).max(2 * first * second + scratch_len(second))
}

/// `c = a b + beta c`, panels of columns in parallel.
///
/// A column of a product depends neither on its neighbours nor on how many are
/// computed together, as long as these are not so few that the product is
/// computed in another way ([`FEWEST`]). So panels may follow the number of
/// threads, which the result doesn't.
fn multiply(
    c: &mut DMatrixViewMut<'_, f64>,
    beta: f64,
    a: &DMatrixView<'_, f64>,
    b: &DMatrixView<'_, f64>,
    step: &mut dyn FnMut(f64) -> Result<(), Stopped>,
) -> Result<(), Stopped> {
    let (rows, inner, columns) = (c.nrows(), a.ncols(), c.ncols());
    let threads = rayon::current_num_threads();
    let width = if rows * inner * columns <= ALONE {
        columns
    } else {
        panel(rows * inner, columns, threads)
    };
    for first in (0..columns).step_by(width * threads) {
        let group = first..columns.min(first + width * threads);
        let operations = 2.0 * (rows * inner * group.len()) as f64;
        multiply_panels(
            c.columns_range_mut(group.clone()),
            beta,
            a,
            &b.columns_range(group),
            width,
        );
        step(operations)?;
    }
    Ok(())
}

fn multiply_panels(
    mut c: DMatrixViewMut<'_, f64>,
    beta: f64,
    a: &DMatrixView<'_, f64>,
    b: &DMatrixView<'_, f64>,
    width: usize,
) {
    let panels = c.ncols().div_ceil(width);
    if panels <= 1 {
        return c.gemm(1.0, a, b, beta);
    }
    let middle = panels / 2 * width;
    let (left, right) = c.columns_range_pair_mut(..middle, middle..);
    rayon::join(
        || multiply_panels(left, beta, a, &b.columns_range(..middle), width),
        || multiply_panels(right, beta, a, &b.columns_range(middle..), width),
    );
}

/// How many columns of a product one thread takes at a time: its part, but no
/// more than [`PANEL`] multiplications, and such that no rest below [`FEWEST`]
/// is left.
pub(crate) fn panel(column: usize, columns: usize, threads: usize) -> usize {
    let most = (PANEL / column.max(1)).max(FEWEST);
    let mut width = columns.div_ceil(threads).min(most).next_multiple_of(FEWEST);
    while (1..FEWEST).contains(&(columns % width)) && width < columns {
        width += FEWEST;
    }
    width
}

/// What is left of a company when those before it are eliminated, from its leak
/// and what others hold of it; `None` if that is not positive.
pub(crate) fn pivot(leak: f64, held: f64) -> Option<f64> {
    let pivot = leak + held;
    let smallest = if leak < 0.0 { CANCELLED * held } else { 0.0 };
    (pivot > smallest && pivot.is_finite()).then_some(pivot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_thread_multiplies_long_between_two_calls() {
        for (column, columns) in [(1 << 26, 8192), (1 << 30, 32_768), (1_000_000, 1_000), (6, 9), (1, 3)] {
            for threads in [1, 2, 6, 64] {
                let width = panel(column, columns, threads);
                assert!(width == FEWEST || width <= columns.next_multiple_of(FEWEST));
                assert!(column * width <= PANEL + 8 * FEWEST * column);
                assert!(columns <= width || !(1..FEWEST).contains(&(columns % width)));
            }
        }
    }

    /// A column that is computed with few neighbours, or many, is the same.
    #[test]
    fn panels_change_no_bit() {
        let size = 203;
        let entry = |i: usize, j: usize| ((i * 7919 + j * 104_729) % 1000) as f64 / 300_000.0;
        let on_threads = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let shares = DMatrix::from_fn(size, size, entry);
            let leaks = DVector::from_fn(size, |j, _| 1.0 - shares.column(j).sum());
            pool.install(|| inverse(shares, leaks, &mut |_| Ok(())).unwrap().unwrap())
        };
        let one = on_threads(1);
        assert!([2, 3, 7].into_iter().all(|threads| on_threads(threads) == one));
    }
}
