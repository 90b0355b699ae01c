//! A document without what says nothing: fields that stand where they stand when nobody sets them.

use super::shape::{Field, Shape};
use crate::address::Path;
use crate::value::Value;

impl Shape {
    /// The form of what stands at `way`.
    pub fn at(&self, way: &Path) -> Option<&Self> {
        way.0.iter().try_fold(self, |shape, step| match shape {
            Self::Struct { fields, .. } => fields.get(step).map(|field| &field.shape),
            Self::Map(inner) | Self::List(inner) | Self::Set(inner) => Some(&**inner),
            Self::Any => Some(shape),
            _ => None,
        })
    }

    /// The field at `way`.
    pub fn field(&self, way: &[String]) -> Option<&Field> {
        let (last, around) = way.split_last()?;
        self.at(&Path::of(around))?.fields()?.get(last)
    }

    /// `value` without the fields that are empty or at their default. It means the same when it is read,
    /// as far as a field that is left out is at its default. What stands at a way that is `kept` stays.
    pub fn telling(&self, value: &Value, kept: &dyn Fn(&Path) -> bool) -> Value {
        self.tell(value, &Path::default(), kept)
    }

    fn tell(&self, value: &Value, way: &Path, kept: &dyn Fn(&Path) -> bool) -> Value {
        let inside =
            |inner: &Self, step: &str, value: &Value| inner.tell(value, &way.join(step), kept);
        match (self, value) {
            (Self::Struct { fields, .. }, Value::Map(_)) => {
                let tells = |(name, value): &(&String, &Value)| {
                    let is_silent = fields.get(*name).is_some_and(|field| field.is_silent(value));
                    !is_silent || kept(&way.join(*name))
                };
                let told = |(name, value): (&String, &Value)| {
                    let inner = fields.get(name).map_or(&Self::Any, |field| &field.shape);
                    (name.clone(), inside(inner, name, value))
                };
                value.fields().filter(tells).map(told).collect()
            }
            (Self::Map(inner), Value::Map(_)) => {
                let each = value.fields();
                each.map(|(name, value)| (name.clone(), inside(inner, name, value))).collect()
            }
            (Self::List(inner) | Self::Set(inner), Value::List(items)) => {
                let each = items.iter().enumerate();
                Value::List(each.map(|(at, item)| inside(inner, &at.to_string(), item)).collect())
            }
            (_, value) => value.clone(),
        }
    }
}

impl Field {
    /// Whether the value says no more than leaving the field out.
    fn is_silent(&self, value: &Value) -> bool {
        *value == Value::Null || self.default.as_ref().is_some_and(|it| *it == value.to_source())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::kinds;

    fn told(spec: &Json, kept: &[&str]) -> Json {
        let kind = kinds::find("task-definition").expect("it is in the catalogue");
        let spec =
            Value::lift(kind.parse(spec.clone()).expect("it is one")).expect("no references");
        let told = kind.shape().telling(&spec, &|way| kept.contains(&way.to_string().as_str()));
        assert_eq!(kind.parse(told.to_source()), kind.parse(spec.to_source()));
        told.to_source()
    }

    #[test]
    fn what_nobody_set_is_not_told() {
        let spec = json!({
            "name": "web", "cpu": 256, "memory": 512, "network-mode": "awsvpc",
            "requires-compatibilities": ["FARGATE"],
            "containers": { "web": {
                "image": "httpd", "environment": { "EMPTY": "" }, "ports": [{ "container-port": 80 }],
            } },
        });
        insta::assert_snapshot!(told(&spec, &[])["containers"], @r#"{"web":{"environment":{"EMPTY":""},"image":"httpd","ports":[{"container-port":80}]}}"#);
        let kept = told(&spec, &["containers.web.command"]);
        assert_eq!(kept["containers"]["web"]["command"], json!([]));
    }

    #[test]
    fn a_way_leads_to_its_form() {
        let shape = kinds::find("task-definition").expect("it is in the catalogue").shape();
        let at = |way: &str| shape.at(&Path::of(way.split('.')));
        assert!(at("containers.web").is_some_and(|shape| shape.fields().is_some()));
        assert!(matches!(at("containers.web.ports.0.container-port"), Some(Shape::Integer { .. })));
        assert_eq!(at("containers.web.nothing"), None);
    }
}
