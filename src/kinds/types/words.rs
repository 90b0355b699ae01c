//! Enums whose words are the API's own: read from text that AWS sends, written as AWS wants it.

/// Declares an enum by its words: `enum NetworkMode as "a network mode" { Awsvpc = "awsvpc", … }`.
/// What AWS may send and this list lacks is an error and never mistaken for something else.
macro_rules! words {
    ($(#[$about:meta])* $name:ident as $what:literal {
        $($(#[$doc:meta])* $variant:ident = $word:literal,)+
    }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord,
            serde::Serialize, serde::Deserialize, schemars::JsonSchema,
        )]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// The API's word.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Reads the API's word.
            pub fn read(word: &str) -> crate::kind::Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(crate::kind::Error::new(
                        crate::kind::Class::Other,
                        format!("AWS speaks of {} that is not known here: `{other}`", $what),
                    )),
                }
            }
        }
    };
}

pub(crate) use words;
