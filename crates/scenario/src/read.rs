//! Reading.

