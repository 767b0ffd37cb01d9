//! Ordered maps and sets whose copies share everything that they have in common.
//!
//! An account that refuses is as it was: events are heard by a copy, which takes its place only where
//! there is an answer. A copy of every entry for every change would cost more than the change. These
//! copies cost a pointer, and a change of one the path to what changed.

/// An ordered map.
pub(crate) type SharedMap<K, V> = rpds::RedBlackTreeMapSync<K, V>;
/// An ordered set.
pub(crate) type SharedSet<T> = rpds::RedBlackTreeSetSync<T>;
