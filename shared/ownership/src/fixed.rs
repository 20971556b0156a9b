//! Exact decimals of any length, for products and sums of shares.

use std::cmp::Ordering;

use crate::share::ONE;

/// A decimal of any length: digits of base `1e18`, the first one before the point.
#[derive(Debug)]
pub(crate) struct Fixed(Vec<u64>);

impl Fixed {
    /// A whole number, below `1e18`.
    pub(crate) fn new(whole: u64) -> Self {
        Self(vec![whole])
    }

    /// The product with a number of units of `1e-18`.
    pub(crate) fn times(&self, units: u128) -> Self {
        let base = u128::from(ONE);
        let mut carry = 0;
        let mut digits: Vec<u64> = self
            .0
            .iter()
            .rev()
            .map(|&digit| {
                let product = u128::from(digit) * units + carry;
                carry = product / base;
                low(product)
            })
            .collect();
        digits.push(low(carry));
        digits.reverse();
        Self(digits)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let length = self.0.len().max(other.0.len());
        self.0.resize(length, 0);
        let mut carry = 0;
        for (position, digit) in self.0.iter_mut().enumerate().rev() {
            let sum = u128::from(*digit) + u128::from(other.0.get(position).copied().unwrap_or(0)) + carry;
            carry = sum / u128::from(ONE);
            *digit = low(sum);
        }
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let digit = |number: &Self, position: usize| number.0.get(position).copied().unwrap_or(0);
        let length = self.0.len().max(other.0.len());
        (0..length)
            .map(|position| digit(self, position).cmp(&digit(other, position)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// The last digit of base `1e18`.
fn low(number: u128) -> u64 {
    u64::try_from(number % u128::from(ONE)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_numbers_are_exact() {
        let part = |text: &str| u128::from(crate::Share::parse(text, crate::Unit::Fraction).unwrap().units());
        let product = Fixed(vec![1]).times(part("0.000000000000000003")).times(part("0.5"));
        assert_eq!(product.0, [0, 1, ONE / 2]);
        let mut sum = Fixed(vec![0]);
        for _ in 0..3 {
            sum.add(&Fixed(vec![1]).times(part("0.9")).times(part("0.1")));
        }
        assert_eq!(sum.compare(&Fixed(vec![0, ONE / 100 * 27])), Ordering::Equal);
        sum.add(&product);
        assert_eq!(sum.compare(&Fixed(vec![0, ONE / 100 * 27])), Ordering::Greater);
        assert_eq!(Fixed(vec![1]).compare(&sum), Ordering::Greater);
        let mut whole = Fixed(vec![0, ONE - 1]);
        whole.add(&Fixed(vec![0, 1]));
        assert_eq!(whole.0, [1, 0]);
    }
}
