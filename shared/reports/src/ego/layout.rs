//! Where everyone stands in a picture of a company.
//!
//! Layers as in Sugiyama, Tagawa and Toda (1981): owners stand above all that they hold, as far as there are no cycles;
//! within a layer everyone is near whom they are linked to, which avoids most crossings. A layer that is too wide for one
//! row takes two, shifted by half a place, so that lines pass between; what does not fit into these is folded.

use crate::survey::{Node, Picture, Role};

/// Everyone's place.
pub(super) struct Layout {
    /// From above to below.
    pub(super) layers: Vec<Layer>,
    /// For every edge of the picture whether it closes a cycle.
    pub(super) back: Vec<bool>,
}

/// Those at the same height.
pub(super) struct Layer {
    /// Positions of nodes, from left to right.
    pub(super) nodes: Vec<usize>,
    /// How many were folded, which are in no layer.
    pub(super) folded: u64,
}

/// Passes over all layers, each in both directions.
const PASSES: usize = 4;

impl Layout {
    /// A layout with at most two rows of `per_row` in a layer.
    pub(super) fn new(picture: &Picture, per_row: usize) -> Self {
        let nodes = &picture.nodes;
        let back = backward(picture);
        let levels = levels(picture, &back);
        let top = levels.iter().copied().max().unwrap_or(0);
        let mut layers: Vec<Layer> = Vec::new();
        for level in (-1..=top).rev() {
            let mut here: Vec<usize> = (0..nodes.len()).filter(|&node| levels[node] == level).collect();
            // Who is folded is decided by shares.
            here.sort_by(|&a, &b| nodes[b].share.total_cmp(&nodes[a].share));
            // Two rows, the second shifted, so that lines of the first pass between its boxes.
            let room = 2 * per_row - 1;
            let folded = if here.len() > room {
                here.split_off(room - 1).len()
            } else {
                0
            };
            if !here.is_empty() {
                layers.push(Layer {
                    nodes: here,
                    folded: folded as u64,
                });
            }
        }
        let mut layout = Self { layers, back };
        layout.order(picture);
        layout
    }

    /// The most that stand side by side, the box for those folded among them.
    pub(super) fn widest(&self) -> usize {
        let width = |layer: &Layer| layer.nodes.len() + usize::from(layer.folded > 0);
        self.layers.iter().map(width).max().unwrap_or(0)
    }

    /// Sorts each layer by where those stand that its nodes are linked to.
    fn order(&mut self, picture: &Picture) {
        let mut place = vec![0.5; picture.nodes.len()];
        for layer in &self.layers {
            spread(layer, &mut place);
        }
        let mut links = vec![Vec::new(); picture.nodes.len()];
        for edge in &picture.edges {
            links[edge.owner].push(edge.owned);
            links[edge.owned].push(edge.owner);
        }
        let count = self.layers.len();
        for pass in 0..PASSES {
            for step in 0..count {
                let at = if pass % 2 == 0 { count - 1 - step } else { step };
                let layer = &mut self.layers[at];
                let mean = |node: usize| {
                    let near = &links[node];
                    let sum: f64 = near.iter().map(|&other| place[other]).sum();
                    if near.is_empty() {
                        place[node]
                    } else {
                        sum / near.len() as f64
                    }
                };
                let mut keyed: Vec<(f64, usize)> = layer.nodes.iter().map(|&node| (mean(node), node)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                layer.nodes = keyed.into_iter().map(|(_, node)| node).collect();
                spread(layer, &mut place);
            }
        }
    }
}

fn spread(layer: &Layer, place: &mut [f64]) {
    for (at, &node) in layer.nodes.iter().enumerate() {
        place[node] = (at as f64 + 0.5) / layer.nodes.len() as f64;
    }
}

/// Whether each edge would close a cycle among those taken before it; edges that lead towards the company are taken
/// first.
fn backward(picture: &Picture) -> Vec<bool> {
    let far = distances(picture);
    let mut order: Vec<usize> = (0..picture.edges.len()).collect();
    order.sort_by_key(|&edge| {
        let edge = picture.edges[edge];
        (far[edge.owner] <= far[edge.owned], far[edge.owned])
    });
    let mut below = vec![Vec::new(); picture.nodes.len()];
    let mut back = vec![false; picture.edges.len()];
    for number in order {
        let edge = picture.edges[number];
        if edge.owner == 0 && picture.nodes[edge.owned].role == Role::Holding {
            continue;
        }
        // The company owns nobody who stands above it.
        back[number] = edge.owner == 0 || reaches(&below, edge.owned, edge.owner);
        if !back[number] {
            below[edge.owner].push(edge.owned);
        }
    }
    back
}

/// Steps from the company upwards.
fn distances(picture: &Picture) -> Vec<usize> {
    let mut far = vec![usize::MAX; picture.nodes.len()];
    let mut queue = vec![0];
    if let Some(company) = far.first_mut() {
        *company = 0;
    }
    let mut next = 0;
    while let Some(&owned) = queue.get(next) {
        next += 1;
        for edge in picture.edges.iter().filter(|edge| edge.owned == owned) {
            if far[edge.owner] == usize::MAX {
                far[edge.owner] = far[owned] + 1;
                queue.push(edge.owner);
            }
        }
    }
    far
}

fn reaches(below: &[Vec<usize>], from: usize, to: usize) -> bool {
    let mut seen = vec![false; below.len()];
    let mut open = vec![from];
    while let Some(node) = open.pop() {
        if node == to {
            return true;
        }
        if !std::mem::replace(&mut seen[node], true) {
            open.extend(&below[node]);
        }
    }
    false
}

/// The company at 0, everyone above it one above the highest that they hold, holdings at -1.
fn levels(picture: &Picture, back: &[bool]) -> Vec<i32> {
    let start = |node: &Node| match node.role {
        Role::Company => 0,
        Role::Ultimate | Role::Between => 1,
        Role::Holding => -1,
    };
    let mut levels: Vec<i32> = picture.nodes.iter().map(start).collect();
    // Without cycles this ends after as many rounds as there are levels.
    for _ in 0..picture.nodes.len() {
        let mut changed = false;
        for (edge, _) in picture.edges.iter().zip(back).filter(|(_, back)| !**back) {
            if picture.nodes[edge.owned].role != Role::Holding && levels[edge.owner] <= levels[edge.owned] {
                levels[edge.owner] = levels[edge.owned] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::{Edge, Name};

    fn picture(roles: &[Role], stakes: &[(usize, usize)]) -> Picture {
        let node = |(at, &role): (usize, &Role)| Node {
            name: Name::of(&at.to_string()),
            role,
            share: 1.0 / (1.0 + at as f64),
        };
        let edge = |&(owner, owned): &(usize, usize)| Edge {
            owner,
            owned,
            share: 0.5,
        };
        Picture {
            nodes: roles.iter().enumerate().map(node).collect(),
            edges: stakes.iter().map(edge).collect(),
            ..Picture::default()
        }
    }

    #[test]
    fn owners_stand_above_all_that_they_hold() {
        use Role::{Between, Company, Holding, Ultimate};
        // 3 holds 1 and the company itself; 1 and 2 hold each other.
        let picture = picture(
            &[Company, Between, Between, Ultimate, Holding],
            &[(1, 0), (2, 0), (2, 1), (1, 2), (3, 1), (3, 0), (0, 4)],
        );
        let layout = Layout::new(&picture, 8);
        let layers: Vec<_> = layout.layers.iter().map(|layer| layer.nodes.clone()).collect();
        assert_eq!(layers.last(), Some(&vec![4]));
        let height = |node: usize| layers.iter().position(|layer| layer.contains(&node)).unwrap();
        for (edge, back) in picture.edges.iter().zip(&layout.back) {
            assert_eq!(height(edge.owner) < height(edge.owned), !back, "{edge:?}");
        }
        assert_eq!(layout.back.iter().filter(|&&back| back).count(), 1);
    }

    #[test]
    fn what_does_not_fit_is_folded_the_smallest_first() {
        let mut roles = vec![Role::Ultimate; 51];
        roles[0] = Role::Company;
        let stakes: Vec<_> = (1..51).map(|owner| (owner, 0)).collect();
        let layout = Layout::new(&picture(&roles, &stakes), 8);
        let above = &layout.layers[0];
        assert_eq!((above.nodes.len(), above.folded), (14, 36));
        assert!(above.nodes.iter().all(|&node| node <= 14));
        assert_eq!(layout.widest(), 15);
    }
}
