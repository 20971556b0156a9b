//! The rings of a network, the largest first.

use std::collections::BTreeMap;

use ownership::Structure;
use reports::{Member, Ring, Rings};

use super::Surveyed;

/// Members of all rings together that are kept, for the report and the spreadsheet.
const MOST_MEMBERS: usize = 20_000;

impl Surveyed<'_> {
    pub(super) fn rings(&self) -> Rings {
        let mut members: Vec<&Structure> = self.structure.iter().filter(|place| place.component_size > 1).collect();
        // Bits of positive numbers are in the order of the numbers; a closed group has none.
        let by = |place: &Structure| std::cmp::Reverse(place.amplification.map_or(0, f64::to_bits));
        members.sort_unstable_by_key(|place| (place.component, by(place), place.company));
        let mut rings = Rings {
            own_shares: self
                .structure
                .iter()
                .filter(|place| self.holds_itself_alone(place))
                .count() as u64,
            ..Rings::default()
        };
        let mut sizes = BTreeMap::<u64, u64>::new();
        let mut left = MOST_MEMBERS;
        for ring in members.chunk_by(|a, b| a.component == b.component) {
            let (first, size) = (ring[0], ring.len() as u64);
            rings.count += 1;
            *sizes.entry(size).or_default() += 1;
            if left == 0 {
                continue;
            }
            let kept = &ring[..ring.len().min(left)];
            left -= kept.len();
            let group = self.groups.0.get(&first.company);
            rings.shown.push(Ring {
                number: u64::from(first.component),
                size,
                group: group.map(|&group| self.resolvent.owner_name(self.network, group).to_owned()),
                members: kept.iter().map(|place| self.member(place)).collect(),
            });
        }
        rings.sizes = sizes.into_iter().collect();
        rings
    }

    fn holds_itself_alone(&self, place: &Structure) -> bool {
        place.component_size == 1
            && self
                .network
                .holdings(place.company)
                .any(|(owned, _)| owned == place.company)
    }

    fn member(&self, place: &Structure) -> Member {
        Member {
            name: self.name(place.company),
            amplification: place.amplification,
            undisclosed: place.undisclosed,
        }
    }
}
