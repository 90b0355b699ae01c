//! `ecsctl explain CODE` and `ecsctl explain KEY`.

use clap::Args;

use super::context::Context;
use super::{Exit, Failure};
use crate::report::{explain, reference};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A code such as E0107, or a key such as service.http; without one, what there is
    what: Option<String>,
}

pub(super) fn run(cx: &mut Context, arguments: &Arguments) -> Result<Exit, Failure> {
    cx.refuse_markdown("explain")?;
    let page = match arguments.what.as_deref() {
        None => format!("{}\n# Errors\n\n{}", reference::overview(), explain::list()),
        Some(what) if is_code(what) => of_code(what)?.to_owned(),
        Some(what) => of_key(what)?,
    };
    cx.print(&page)?;
    Ok(Exit::Done)
}

/// The number alone is enough.
fn is_code(what: &str) -> bool {
    let number = what.trim_start_matches(['E', 'e']);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

fn of_code(code: &str) -> Result<&'static str, Failure> {
    let number = code.trim_start_matches(['E', 'e']).parse::<u32>().unwrap_or(u32::MAX);
    explain::page(&format!("E{number:04}")).ok_or_else(|| {
        let near = explain::around(number).join(" or ");
        Failure::Usage(format!("there is no error `{code}`; did you mean {near}?"))
    })
}

fn of_key(key: &str) -> Result<String, Failure> {
    reference::page(key).map_err(|near| {
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`ecsctl explain` lists what there is".to_owned(),
        };
        Failure::Usage(format!("there is no key `{key}`; {hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_a_number() {
        assert!(["E0107", "e107", "0107"].into_iter().all(is_code));
        assert!(!["", "E", "service", "e1x"].into_iter().any(is_code));
    }
}
