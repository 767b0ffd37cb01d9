//! Files that somebody wrote in bad faith or in a hurry: an answer or a precise refusal, never a panic
//! and never a wrong number.
