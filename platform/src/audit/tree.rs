//! The Merkle tree of RFC 6962, built leaf by leaf from its right edge.
//!
//! Only the roots of the complete subtrees at the edge are needed to go on, one for each bit of the
//! size. Roots of subtrees of 256, 65,536 … leaves are handed out as they become complete; from them
//! a proof is put together with few rows, however large the tree.

use crate::vault::crypto::sha256;

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Levels between the hashes that are kept.
pub const STEP: u32 = 8;

/// The hash of a leaf.
pub fn leaf_hash(line: &[u8]) -> Hash {
    sha256(&[&[0], line].concat())
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], &left[..], &right[..]].concat())
}

/// A complete subtree: two to the power of `level` leaves, the `position`-th of its height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subtree {
    /// Height.
    pub level: u32,
    /// Which of its height, from zero.
    pub position: u64,
}

/// A tree as far as it must be known to grow: its size, and the roots at its right edge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    roots: Vec<Hash>,
}

impl Edge {
    /// Takes up a stored edge; `None` when it does not fit the size.
    pub fn restore(size: u64, bytes: &[u8]) -> Option<Self> {
        let (roots, []) = bytes.as_chunks::<32>() else { return None };
        (roots.len() == size.count_ones() as usize).then(|| Self { size, roots: roots.to_vec() })
    }

    /// The roots, largest subtree first.
    pub fn bytes(&self) -> Vec<u8> {
        self.roots.concat()
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf; `complete` is told of each kept subtree that this completes.
    pub fn push(&mut self, leaf: Hash, mut complete: impl FnMut(Subtree, Hash)) {
        let index = self.size;
        let (mut hash, mut level) = (leaf, 0);
        while index >> level & 1 == 1 {
            let Some(left) = self.roots.pop() else { break };
            hash = node_hash(&left, &hash);
            level += 1;
            if level % STEP == 0 {
                complete(Subtree { level, position: index >> level }, hash);
            }
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        fold(&self.roots).unwrap_or_else(|| sha256(b""))
    }
}

/// The root over neighbouring complete subtrees, largest first.
pub fn fold(roots: &[Hash]) -> Option<Hash> {
    let (last, rest) = roots.split_last()?;
    Some(rest.iter().rev().fold(*last, |right, left| node_hash(left, &right)))
}

/// The siblings on the way from a leaf to the root, each as the complete subtrees it consists of.
pub fn path(index: u64, size: u64) -> Vec<Vec<Subtree>> {
    let (mut low, mut length, mut path) = (0, size, Vec::new());
    while length > 1 {
        let left = length.next_power_of_two() / 2;
        if index - low < left {
            path.push(subtrees(low + left, length - left));
            length = left;
        } else {
            path.push(subtrees(low, left));
            (low, length) = (low + left, length - left);
        }
    }
    path.reverse();
    path
}

/// The complete subtrees that a range consists of, largest first.
fn subtrees(mut low: u64, length: u64) -> Vec<Subtree> {
    let levels = (0..u64::BITS).rev().filter(|level| length >> level & 1 == 1);
    levels
        .map(|level| {
            let position = low >> level;
            low += 1 << level;
            Subtree { level, position }
        })
        .collect()
}

/// The kept hashes below a subtree: their level and their positions.
pub fn kept_below(subtree: Subtree) -> (u32, std::ops::Range<u64>) {
    let level = subtree.level / STEP * STEP;
    let below = subtree.level - level;
    (level, subtree.position << below..(subtree.position + 1) << below)
}

/// The root of a complete subtree from the hashes of one level below it.
pub fn root_of(mut hashes: Vec<Hash>) -> Option<Hash> {
    while hashes.len() > 1 {
        let (pairs, []) = hashes.as_chunks::<2>() else { return None };
        hashes = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    hashes.pop()
}

/// Whether the siblings lead from the leaf to the root: RFC 9162, 2.1.3.2.
pub fn includes(root: &Hash, size: u64, index: u64, leaf: Hash, siblings: &[Hash]) -> bool {
    let Some(mut last) = size.checked_sub(1).filter(|last| index <= *last) else { return false };
    let (mut at, mut hash) = (index, leaf);
    for sibling in siblings {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use data_encoding::HEXLOWER;
    use proptest::prelude::*;

    use super::*;

    fn grown(leaves: &[Hash]) -> (Edge, HashMap<Subtree, Hash>) {
        let (mut edge, mut kept) = (Edge::default(), HashMap::new());
        for (index, leaf) in leaves.iter().enumerate() {
            kept.insert(Subtree { level: 0, position: index as u64 }, *leaf);
            edge.push(*leaf, |subtree, hash| assert_eq!(kept.insert(subtree, hash), None));
        }
        (edge, kept)
    }

    /// As the RFC defines it.
    fn defined(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(b""),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node_hash(&defined(left), &defined(right))
            }
        }
    }

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
    }

    fn proof(kept: &HashMap<Subtree, Hash>, index: u64, size: u64) -> Vec<Hash> {
        let root = |subtree: &Subtree| {
            let (level, positions) = kept_below(*subtree);
            root_of(positions.map(|position| kept[&Subtree { level, position }]).collect()).unwrap()
        };
        path(index, size)
            .iter()
            .map(|parts| fold(&parts.iter().map(root).collect::<Vec<_>>()).unwrap())
            .collect()
    }

    #[test]
    fn the_reference_tree_of_certificate_transparency_has_its_root() {
        let inputs = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let mut edge = Edge::default();
        assert_eq!(
            HEXLOWER.encode(&edge.root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        for input in inputs {
            edge.push(leaf_hash(&HEXLOWER.decode(input.as_bytes()).unwrap()), |_, _| ());
        }
        assert_eq!(
            HEXLOWER.encode(&edge.root()),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proved() {
        for size in 1..70 {
            let leaves = leaves(size);
            let (edge, kept) = grown(&leaves);
            for (index, leaf) in leaves.iter().enumerate() {
                let (index, size) = (index as u64, size as u64);
                let proof = proof(&kept, index, size);
                assert!(includes(&edge.root(), size, index, *leaf, &proof), "{index} of {size}");
                assert!(!includes(&edge.root(), size, index + 1, *leaf, &proof), "{index} of {size}");
                assert!(!includes(&edge.root(), size + 1, index, *leaf, &[&proof[..], &[*leaf]].concat()));
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_edge_grows_to_the_defined_root_wherever_it_is_taken_up_again(size in 1_usize..2000, cut: prop::sample::Index) {
            let leaves = leaves(size);
            let (first, rest) = leaves.split_at(cut.index(size));
            let (edge, _) = grown(first);
            let mut edge = Edge::restore(edge.size(), &edge.bytes()).unwrap();
            for leaf in rest {
                edge.push(*leaf, |_, _| ());
            }
            prop_assert_eq!(edge.root(), defined(&leaves));
        }

        #[test]
        fn a_proof_holds_for_its_leaf_and_no_other(size in 2_usize..70_000, index: prop::sample::Index, other: prop::sample::Index) {
            let leaves = leaves(size);
            let (edge, kept) = grown(&leaves);
            let index = index.index(size) as u64;
            let proof = proof(&kept, index, size as u64);
            prop_assert!(includes(&edge.root(), size as u64, index, leaves[index as usize], &proof));
            let other = other.index(size);
            prop_assert_eq!(includes(&edge.root(), size as u64, index, leaves[other], &proof), other as u64 == index);
        }
    }
}
