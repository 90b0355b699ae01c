//! The only file that knows colours: what a piece of text means, and how that looks.

use anstyle::{AnsiColor, Style};

/// What a piece of text means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Something that comes.
    Create,
    /// Something that changes in place.
    Update,
    /// Something that another takes the place of.
    Replace,
    /// Something that goes.
    Delete,
    /// Something that is taken over or waited for.
    Settle,
    /// The name of a resource.
    Address,
    /// A title.
    Heading,
    /// A line that goes, in a diff.
    Removed,
    /// A line that comes, in a diff.
    Added,
    /// The words that differ in a removed line.
    RemovedWord,
    /// The words that differ in an added line.
    AddedWord,
    /// Success.
    Good,
    /// Worth a look.
    Warning,
    /// Something that went wrong.
    Error,
    /// What can be done about it.
    Hint,
    /// Of less weight.
    Dim,
}

impl Tone {
    fn style(self) -> Style {
        let coloured = |colour: AnsiColor| colour.on_default();
        match self {
            Self::Create | Self::Added | Self::Good => coloured(AnsiColor::Green),
            Self::Update | Self::Warning => coloured(AnsiColor::Yellow),
            Self::Replace => coloured(AnsiColor::Magenta),
            Self::Delete | Self::Removed => coloured(AnsiColor::Red),
            Self::Error => coloured(AnsiColor::Red).bold(),
            Self::Settle | Self::Hint => coloured(AnsiColor::Cyan),
            Self::Address | Self::Heading => Style::new().bold(),
            Self::RemovedWord => coloured(AnsiColor::Red).bold().underline(),
            Self::AddedWord => coloured(AnsiColor::Green).bold().underline(),
            Self::Dim => Style::new().dimmed(),
        }
    }
}

/// Whether colours are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// They are.
    On,
    /// They are not.
    Off,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// What a reader needs to decide.
    Short,
    /// Everything, in full length.
    Full,
}

/// How a report is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Whether colours are written.
    pub colour: Colour,
    /// How much is told.
    pub detail: Detail,
    /// How many columns a line may have before it is shortened.
    pub width: usize,
}

impl Look {
    /// Short and without colours, 100 columns: what files, pipes and tests get.
    pub const PLAIN: Self = Self { colour: Colour::Off, detail: Detail::Short, width: 100 };

    /// `text`, looking as `tone` does.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        match self.colour {
            Colour::Off => text.to_owned(),
            Colour::On if text.is_empty() => String::new(),
            Colour::On => {
                let style = tone.style();
                format!("{}{text}{}", style.render(), style.render_reset())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_text_stays_as_it_is() {
        assert_eq!(Look::PLAIN.paint(Tone::Error, "text"), "text");
        let coloured = Look { colour: Colour::On, ..Look::PLAIN };
        assert_eq!(coloured.paint(Tone::Create, "+"), "\u{1b}[32m+\u{1b}[0m");
        assert_eq!(coloured.paint(Tone::Create, ""), "");
    }
}
