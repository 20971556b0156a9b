//! Row vectors times the resolvent: what flows down to each company.

use crate::{Network, Resolvent};

impl Resolvent {
    /// `r^T V`, one sweep over the companies in topological order.
    ///
    /// With `x = r^T V`, `x (I - W) = r^T` says for a company j that
    /// `x[j] = r[j] + sum_k x[k] W[k][j]`. For a component the sum over
    /// outside holders gives `b`, and `x = b V` in its block.
    ///
    /// # Arguments
    ///
    /// * `source`: `r`, for each company outside of closed components.
    /// * `group`: `x` of every closed group, which its members carry here.
    ///
    /// Cost: O(companies + stakes), and a product with each block.
    pub(crate) fn sweep(&self, network: &Network, source: impl Fn(u32) -> f64, group: f64) -> Vec<f64> {
        let mut x = vec![0.0; network.len()];
        let mut inflow = Vec::new();
        let mut rings = self.rings.iter().peekable();
        for component in (0_u32..).take(self.components.len()) {
            let members = self.components.members(component);
            if let Some(ring) = rings.next_if(|ring| ring.component == component) {
                inflow.clear();
                inflow.extend(members.iter().map(|&member| {
                    let outside = network
                        .holders(member)
                        .filter(|&(k, _)| self.components.of[k as usize] != component);
                    source(member) + outside.map(|(k, share)| x[k as usize] * share).sum::<f64>()
                }));
                for (j, &member) in members.iter().enumerate() {
                    x[member as usize] = inflow.iter().zip(ring.column(j)).map(|(b, v)| b * v).sum();
                }
            } else if members.len() > 1 || self.closed.group(component).is_some() {
                members.iter().for_each(|&member| x[member as usize] = group);
            } else {
                let company = members[0];
                let held: f64 = network.holders(company).map(|(k, share)| x[k as usize] * share).sum();
                x[company as usize] = source(company) + held;
            }
        }
        x
    }
}
