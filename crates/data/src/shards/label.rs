//! The labels of a shard's samples.

use std::collections::HashMap;

use serde_json::Value;

/// A class as a sample gives it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Class {
    /// Its index.
    Index(u64),
    /// Its name.
    Name(String),
}

/// What a sample is labelled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    /// One class.
    Class(Class),
    /// A set of classes, at least one.
    Set(Vec<Class>),
}

impl Class {
    fn of_text(text: &str) -> Option<Self> {
        let text = text.trim();
        match text.parse() {
            Ok(index) => Some(Self::Index(index)),
            Err(_) if text.is_empty() => None,
            Err(_) => Some(Self::Name(text.to_owned())),
        }
    }

    fn of_json(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64().map(Self::Index),
            Value::String(text) if !text.is_empty() => Some(Self::Name(text.clone())),
            _ => None,
        }
    }
}

impl Label {
    /// Reads the content of a `.cls` member: the index of a class, or its name.
    pub(super) fn of_cls(content: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(content).ok();
        text.and_then(Class::of_text)
            .map(Self::Class)
            .ok_or_else(|| "it has no class: write its index or its name".to_owned())
    }

    /// Reads the content of a `.json` member: an object with `label`, or with a list of `labels`.
    pub(super) fn of_json(content: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(content).map_err(|error| error.to_string())?;
        if let Some(label) = value.get("label") {
            return Class::of_json(label).map(Self::Class).ok_or_else(|| {
                format!("`label` is {label}, and not the index or the name of a class")
            });
        }
        let Some(labels) = value.get("labels") else {
            return Err("it is no object with `label` or `labels`".to_owned());
        };
        let classes = labels
            .as_array()
            .map(|all| all.iter().map(Class::of_json).collect());
        match classes {
            Some(Some(classes)) if classes != [] => Ok(Self::Set(classes)),
            _ => Err(format!(
                "`labels` is {labels}, and not a list of the indices or the names of one or more classes"
            )),
        }
    }

    fn classes(&self) -> &[Class] {
        match self {
            Self::Class(class) => std::slice::from_ref(class),
            Self::Set(classes) => classes,
        }
    }
}

/// A class that occurs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    pub class: Class,
    /// The first member that has it.
    pub member: String,
    /// Where the member's content begins, in bytes.
    pub offset: u64,
}

/// The labels of many samples, with each class that occurs stored once.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// Whether samples have sets of classes; `None` without a sample.
    pub have_sets: Option<bool>,
    pub classes: Vec<Occurrence>,
    places: HashMap<Class, u32>,
    /// The places in `classes` of all samples' classes, one after the other.
    members: Vec<u32>,
    /// The end of each sample's part of `members`.
    ends: Vec<usize>,
}

impl Labels {
    /// Appends the label of a sample, which a member at an offset has.
    pub(super) fn push(&mut self, label: &Label, member: &str, offset: u64) -> Result<(), String> {
        let is_set = matches!(label, Label::Set(_));
        if *self.have_sets.get_or_insert(is_set) != is_set {
            return Err(
                "other samples have one class, and this one a set, or the other way round"
                    .to_owned(),
            );
        }
        for class in label.classes() {
            let place = match self.places.get(class) {
                Some(&place) => place,
                None => {
                    let place = self.classes.len() as u32;
                    self.classes.push(Occurrence {
                        class: class.clone(),
                        member: member.to_owned(),
                        offset,
                    });
                    self.places.insert(class.clone(), place);
                    place
                }
            };
            self.members.push(place);
        }
        self.ends.push(self.members.len());
        Ok(())
    }

    /// Returns the places in `classes` of each sample's classes.
    pub(super) fn samples(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts
            .zip(&self.ends)
            .map(|(&start, &end)| &self.members[start..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Class {
        Class::Name(text.to_owned())
    }

    #[test]
    fn labels_are_indices_or_names() {
        assert_eq!(Label::of_cls(b"7\n"), Ok(Label::Class(Class::Index(7))));
        assert_eq!(Label::of_cls(b"cat"), Ok(Label::Class(name("cat"))));
        assert!(Label::of_cls(b" ").is_err() && Label::of_cls(&[0xff]).is_err());
        let json = |text: &str| Label::of_json(text.as_bytes());
        assert_eq!(
            json(r#"{"label": 3, "url": "x"}"#),
            Ok(Label::Class(Class::Index(3)))
        );
        let set = vec![Class::Index(1), name("dog")];
        assert_eq!(json(r#"{"labels": [1, "dog"]}"#), Ok(Label::Set(set)));
        for wrong in [
            "{}",
            "[1]",
            "{",
            r#"{"label": -1}"#,
            r#"{"labels": []}"#,
            r#"{"labels": [1.5]}"#,
        ] {
            assert!(json(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_class_is_stored_once() {
        let mut labels = Labels::default();
        for class in ["b", "a", "b"] {
            labels.push(&Label::Class(name(class)), "m", 512).unwrap();
        }
        let classes: Vec<_> = labels.classes.iter().map(|of| of.class.clone()).collect();
        assert_eq!(classes, [name("b"), name("a")]);
        assert!(labels.samples().eq([[0], [1], [0]]));
        assert!(labels.push(&Label::Set(vec![name("a")]), "n", 0).is_err());
    }
}
