//! `dashboard`: a CloudWatch dashboard.

use aws_sdk_cloudwatch::operation::get_dashboard::GetDashboardOutput as Description;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::Json;
use super::types::outputs::Named as Outputs;
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, NameStyle, Naming,
    Observed, Result, Sought, TagChange,
};

/// A dashboard. It belongs to the account and not to a region: each graph says of which one it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dashboard {
    /// Its name, which begins with `<stack>-<env>-`: by that a stack's dashboards are found.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-replaces" = true))]
    pub name: String,
    /// What it shows: page "Dashboard body structure and syntax" of the CloudWatch user guide.
    #[schemars(extend("examples" = [{ "widgets": [] }]))]
    pub body: Json,
}

/// The most widgets that CloudWatch takes, by the page on the body.
const WIDGETS: usize = 500;

impl Kind for Dashboard {
    const NAME: &'static str = "dashboard";
    const ABOUT: About = About {
        exclusive: &["name"],
        naming: Some(Naming { max: 255, style: NameStyle::Dashed, suffix: false }),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        let is_open = self.name.is_empty() || self.name.contains("${");
        let legal = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if !is_open && (self.name.len() > 255 || !self.name.chars().all(legal)) {
            let title =
                format!("`{}` is not a name of up to 255 letters, digits, `-` and `_`", self.name);
            check.error("E0395", "name", title).alone = true;
        }
        let prefix = format!("{}-", check.stack.prefix());
        if !is_open && !self.name.starts_with(&prefix) {
            let title = format!("the name `{}` is not one of this stack's", self.name);
            let hint = format!("leave it out, or write one that begins with `{prefix}`");
            check.error_with("E0395", "name", title, hint).alone = true;
        }
        match self.body.value().get("widgets").and_then(serde_json::Value::as_array) {
            None => {
                check.error("E0395", "body", "a dashboard has a list `widgets`");
            }
            Some(widgets) if widgets.len() > WIDGETS => {
                let title =
                    format!("a dashboard has at most {WIDGETS} widgets, not {}", widgets.len());
                check.error("E0395", "body", title);
            }
            Some(_) => {}
        }
    }

    /// One listing by what their names begin with, and two calls for each. The index of tags is a region's.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        let names = list(aws, &format!("{}-", sought.stack.prefix())).await?;
        let found = concurrently(&names, |name| async move {
            let Some(one) = get(aws, name).await? else { return Ok(None) };
            let arn = arn(&one)?;
            Ok(Some(Observed {
                earlier: Vec::new(),
                id: arn.to_owned(),
                live: Self::read(&one)?,
                outputs: Outputs::of(arn),
                tags: tags::cloudwatch::read(aws, arn).await?,
                condition: Condition::Ready,
            }))
        });
        let mut observed: Vec<_> = found.await?.into_iter().flatten().collect();
        let is_wanted =
            |name: &str| sought.wanted.iter().any(|want| want.spec.text("name") == Some(name));
        observed.retain(|one| sought.is_ours(&one.tags) || is_wanted(&one.live.name));
        Ok(observed)
    }

    /// PutDashboard changes the one that is there, so it is looked at first.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        if let Some(there) = get(cx.aws, &self.name).await? {
            cx.require_ours(&tags::cloudwatch::read(cx.aws, arn(&there)?).await?)?;
        }
        let call = cx.aws.cloudwatch.put_dashboard().dashboard_name(&self.name);
        let call = call.set_tags(tags::some(cx.tags, tags::cloudwatch::tag));
        call.dashboard_body(self.body.text()).send().await?;
        let made = get(cx.aws, &self.name).await?;
        let made =
            made.ok_or_else(|| Error::new(Class::Eventual, "the dashboard is not visible yet"))?;
        Ok(Made::new(arn(&made)?, Outputs::of(arn(&made)?)))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let call = cx.aws.cloudwatch.put_dashboard().dashboard_name(&self.name);
        call.dashboard_body(self.body.text()).send().await?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    async fn delete(was: &Self, cx: &Cx<'_>) -> Result<()> {
        let call = cx.aws.cloudwatch.delete_dashboards().dashboard_names(&was.name);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        tags::cloudwatch::change(cx.aws, cx.id, change).await
    }
}

impl Dashboard {
    fn read(one: &Description) -> Result<Self> {
        let name = one.dashboard_name().unwrap_or_default();
        let body = Json::parse(one.dashboard_body().unwrap_or_default()).map_err(|error| {
            Error::new(Class::Other, format!("the body of the dashboard `{name}`: {error}"))
        })?;
        Ok(Self { name: name.to_owned(), body })
    }
}

/// ListDashboards.
async fn list(aws: &Aws, prefix: &str) -> Result<Vec<String>> {
    let call = aws.cloudwatch.list_dashboards().dashboard_name_prefix(prefix);
    let mut pages = call.into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(Error::from)?;
        let entries = page.dashboard_entries.unwrap_or_default();
        names.extend(entries.into_iter().filter_map(|entry| entry.dashboard_name));
    }
    Ok(names)
}

/// GetDashboard.
async fn get(aws: &Aws, name: &str) -> Result<Option<Description>> {
    let found = aws.cloudwatch.get_dashboard().dashboard_name(name).send().await;
    match found.map_err(Error::from) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

fn arn(one: &Description) -> Result<&str> {
    one.dashboard_arn().ok_or_else(|| Error::incomplete("the dashboard's ARN"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    #[test]
    fn declarations_read_back() {
        reads_back::<Dashboard>(json!({ "body": { "widgets": [{ "type": "text" }] } }));
        reads_back::<Dashboard>(json!({ "name": "shop-prod-x", "body": "{\"widgets\": []}" }));
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        insta::assert_snapshot!(flaws::<Dashboard>(json!({ "name": "mine", "body": {} })), @"
        E0395 name: the name `mine` is not one of this stack's
        E0395 body: a dashboard has a list `widgets`
        ");
        let widgets: Vec<_> = (0..501).map(|_| json!({})).collect();
        insta::assert_snapshot!(flaws::<Dashboard>(json!({
            "name": "shop-prod-a.b", "body": { "widgets": widgets },
        })), @"
        E0395 name: `shop-prod-a.b` is not a name of up to 255 letters, digits, `-` and `_`
        E0395 body: a dashboard has at most 500 widgets, not 501
        ");
    }
}
