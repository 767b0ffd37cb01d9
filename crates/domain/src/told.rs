//! What is told about bytes from outside: messages that repeat them stay short.

/// How much of a message about a file or a reply is shown, in characters. A library's message
/// about an unknown key lists the known ones: that has room.
pub const TOLD_CHARS_MAX: usize = 800;

/// A message that may repeat what stands in a file or a reply, at a length that a person reads.
pub fn brief(message: &str) -> String {
    match message.char_indices().nth(TOLD_CHARS_MAX) {
        None => message.to_owned(),
        Some((end, _)) => format!("{} [and more]", message.get(..end).unwrap_or(message)),
    }
}

#[cfg(test)]
mod tests {
    use super::{TOLD_CHARS_MAX, brief};

    #[test]
    fn a_message_is_cut_between_characters_and_only_when_it_is_too_long() {
        let fits = "ä".repeat(TOLD_CHARS_MAX);
        assert_eq!(brief(&fits), fits);
        assert_eq!(brief(&format!("{fits}ü")), format!("{fits} [and more]"));
    }
}
