//! Secrets: where a value lies, never the value.

use std::str::FromStr;

/// A value that a container gets when it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Secret {
    /// What ECS is to read: an ARN, with the key behind it.
    pub(super) value_from: String,
    /// The resource of the right to read it.
    pub(super) resource: String,
    /// The action of the right to read it.
    pub(super) action: &'static str,
}

const READ_PARAMETER: &str = "ssm:GetParameters";
const READ_SECRET: &str = "secretsmanager:GetSecretValue";

impl FromStr for Secret {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ours = |service: &str, rest: &str| {
            format!("arn:${{aws.partition}}:{service}:${{aws.region}}:${{aws.account}}:{rest}")
        };
        if let Some(name) = text.strip_prefix("ssm:") {
            let name = legal(name.trim_start_matches('/'), "/_.-")?;
            let arn = ours("ssm", &format!("parameter/{name}"));
            return Ok(Self { value_from: arn.clone(), resource: arn, action: READ_PARAMETER });
        }
        if let Some(rest) = text.strip_prefix("sm:") {
            let (name, key) = rest.split_once('#').map_or((rest, None), |(n, k)| (n, Some(k)));
            let arn = ours("secretsmanager", &format!("secret:{}", legal(name, "/_+=.@-")?));
            let value_from = match key {
                Some(key) if !key.is_empty() && !key.contains(':') => format!("{arn}:{key}::"),
                Some(_) => return Err("there is no key behind `#`".to_owned()),
                None => arn.clone(),
            };
            // Secrets Manager puts a hyphen and six characters of its own behind the name.
            let resource = format!("{arn}-??????");
            return Ok(Self { value_from, resource, action: READ_SECRET });
        }
        given(text)
    }
}

/// An ARN as it stands: `arn:aws:secretsmanager:<region>:<account>:secret:<name>[:key:stage:version]`.
fn given(text: &str) -> Result<Secret, String> {
    let steps: Vec<&str> = text.split(':').collect();
    let value_from = text.to_owned();
    match steps.as_slice() {
        ["arn", _, "ssm", ..] => {
            Ok(Secret { resource: value_from.clone(), value_from, action: READ_PARAMETER })
        }
        ["arn", _, "secretsmanager", _, _, "secret", _, ..] => {
            let resource = steps[..7].join(":");
            Ok(Secret { resource, value_from, action: READ_SECRET })
        }
        _ => Err(format!("`{text}` does not say where the secret is")),
    }
}

/// A name, or the part of it that is known: it may mention outputs.
fn legal<'n>(name: &'n str, marks: &str) -> Result<&'n str, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    match !name.is_empty() && (name.contains("${") || name.chars().all(fits)) {
        true => Ok(name),
        false => Err(format!("`{name}` is not the name of a secret")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match text.parse::<Secret>() {
            Ok(secret) => {
                format!("{}\n{} on {}", secret.value_from, secret.action, secret.resource)
            }
            Err(why) => why,
        }
    }

    #[test]
    fn names_become_arns() {
        insta::assert_snapshot!(read("ssm:/scorekeep/session-key"), @"
        arn:${aws.partition}:ssm:${aws.region}:${aws.account}:parameter/scorekeep/session-key
        ssm:GetParameters on arn:${aws.partition}:ssm:${aws.region}:${aws.account}:parameter/scorekeep/session-key
        ");
        insta::assert_snapshot!(read("sm:scorekeep/db#url"), @"
        arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:scorekeep/db:url::
        secretsmanager:GetSecretValue on arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:scorekeep/db-??????
        ");
        insta::assert_snapshot!(read("sm:scorekeep/db"), @"
        arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:scorekeep/db
        secretsmanager:GetSecretValue on arn:${aws.partition}:secretsmanager:${aws.region}:${aws.account}:secret:scorekeep/db-??????
        ");
    }

    #[test]
    fn arns_stay_and_the_right_is_for_the_whole_secret() {
        insta::assert_snapshot!(read("arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:url::"), @"
        arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:url::
        secretsmanager:GetSecretValue on arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf
        ");
    }

    #[test]
    fn anything_else_is_refused() {
        insta::assert_snapshot!(read("hunter2"), @"`hunter2` does not say where the secret is");
        insta::assert_snapshot!(read("sm:db#"), @"there is no key behind `#`");
        insta::assert_snapshot!(read("ssm:my key"), @"`my key` is not the name of a secret");
    }
}
