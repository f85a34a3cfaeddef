//! The text of an error with that of its causes.

use std::error::Error;

/// Returns an error's message followed by those of its causes, with colons between.
///
/// The errors of this workspace leave their causes out of their messages. Some of other crates don't: a cause that the
/// text already ends with isn't repeated.
pub fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Layer(&'static str, Option<Box<Layer>>);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|error| error as _)
        }
    }

    #[test]
    fn causes_follow_and_are_not_repeated() {
        let error = |text, cause: Layer| Layer(text, Some(Box::new(cause)));
        let chain = error("can't read a", error("bad b: c", Layer("c", None)));
        assert_eq!(with_causes(&chain), "can't read a: bad b: c");
        assert_eq!(with_causes(&Layer("alone", None)), "alone");
    }
}
