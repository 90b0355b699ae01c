//! What there is in a simulated account, and what it refuses.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::identity::Facts;
use super::inherited;
use super::moved::changed;
use super::rollout::{self, Rollout};
use crate::cloud::Surroundings;
use crate::kind::{
    Class, Condition, Deed, Deployment, Done, Error, Kind as _, Live, Registered, Result, Sought,
    StackId, TAG_ID, TagChange, Tags,
};
use crate::kinds;
use crate::kinds::image::{self, Image};
use crate::kinds::service::attached::unattached;
use crate::kinds::service::balancing;
use crate::kinds::service::connect::unnamed;
use crate::kinds::service::listening::unheard;
use crate::kinds::service::registries::untold;
use crate::kinds::task_run::{self, TaskRun};
use crate::kinds::types::Action;
use crate::value::{Value, beginnings};

/// A resource that somebody has made.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Object {
    pub(super) kind: String,
    pub(super) spec: Value,
    pub(super) outputs: BTreeMap<String, String>,
    pub(super) tags: Tags,
    /// The token of the call that made it: the same call again makes nothing new.
    pub(super) token: String,
    pub(super) ready_at: f64,
    #[serde(default)]
    pub(super) gone_at: Option<f64>,
    #[serde(default)]
    pub(super) rollout: Option<Rollout>,
    /// The newest deployment that came to its end.
    #[serde(default)]
    pub(super) deployment: Option<Deployment>,
}

/// All resources of an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(super) struct World {
    pub(super) objects: BTreeMap<String, Object>,
    /// Task definition revisions ever registered: services go on using old ones.
    pub(super) revisions: BTreeMap<String, Value>,
    /// Identifiers of what is no more.
    gone: BTreeSet<String>,
    serial: u64,
    #[serde(skip)]
    pub(super) refusals: Vec<String>,
}

impl World {
    /// Lets time pass. Says whether anything changed.
    pub(super) fn advance(&mut self, now: f64) -> bool {
        let mut changed = false;
        self.objects.retain(|id, object| {
            let is_over = object.gone_at.is_some_and(|at| at <= now);
            if is_over {
                self.gone.insert(id.clone());
            }
            changed |= is_over || rollout::advance(object, now);
            !is_over
        });
        self.lead_requests();
        changed
    }

    /// Sets the weights of the rules whose requests deployments move.
    fn lead_requests(&mut self) {
        let services = self.objects.values().filter(|object| object.kind == "service");
        let mut pairs: Vec<(String, [(String, u64); 2])> = Vec::new();
        for service in services {
            let (first, second) = rollout::weights(service);
            for (rule, group, alternate) in balancing::rules(&service.spec) {
                let weights = [(group.to_owned(), first), (alternate.to_owned(), second)];
                pairs.push((rule.to_owned(), weights));
            }
        }
        for (rule, weights) in pairs {
            let Some(rule) = self.objects.get_mut(&rule) else { continue };
            let led = rule.spec.get("action").map(|action| Action::led(action, &weights));
            led.into_iter().for_each(|action| rule.spec.set("action", action));
        }
    }

    pub(super) fn observe(&self, kind: &str, sought: Sought<'_>, now: f64) -> Vec<Live> {
        if kind == TaskRun::NAME {
            return task_run::lives(&sought);
        }
        if kind == Image::NAME {
            return image::lives(&sought);
        }
        let is_wanted = |object: &Object| {
            let name = object.spec.text("name");
            name.is_some() && sought.wanted.iter().any(|wanted| wanted.spec.text("name") == name)
        };
        let of_kind = self.objects.iter().filter(|(_, object)| object.kind == kind);
        let found = of_kind.filter(|(_, object)| sought.is_ours(&object.tags) || is_wanted(object));
        let live = found.map(|(id, object)| self.with_inherited(object.live(id, now)));
        if kind != "task-definition" {
            return live.collect();
        }
        live.map(|live| Live { earlier: self.earlier(&live.id), ..live }).collect()
    }

    /// The other revisions of a task definition that services still use.
    fn earlier(&self, id: &str) -> BTreeMap<String, Value> {
        let family = |arn: &str| arn.rsplit_once(':').map(|(family, _)| family.to_owned());
        let used = self.objects.values().filter_map(|user| user.spec.text("task-definition"));
        let others = used.filter(|arn| *arn != id && family(arn) == family(id));
        others.filter_map(|arn| Some((arn.to_owned(), self.revisions.get(arn)?.clone()))).collect()
    }

    pub(super) fn create(
        &mut self,
        kind: &Registered,
        stack: &StackId,
        surroundings: &Surroundings,
        deed: &Deed,
        spec: &Value,
        ready_at: f64,
    ) -> Result<Done> {
        if let Some((id, object)) = self.made_before(deed) {
            return Ok(Done { id, outputs: object.outputs.clone(), watch: None });
        }
        self.refuse_dangling(spec)?;
        self.refuse_taken(kind, spec, None)?;
        self.refuse_shut_in(kind, spec)?;
        self.refuse_unreachable(kind, spec)?;
        self.refuse_unheard(kind, spec)?;
        self.refuse_second(kind, spec)?;
        self.refuse_seated(kind, spec, &deed.tags, None)?;
        self.refuse_protocols(kind, spec)?;
        self.serial += 1;
        let iam_path = stack.iam_path();
        let spec = &inherited::without(kind, spec);
        let facts = Facts { surroundings, iam_path, spec, serial: self.serial, revision: 1 };
        let id = facts.id(kind.name());
        let outputs = facts.outputs(kind, &id);
        self.gone.remove(&id);
        if kind.name() == "task-definition" {
            self.revisions.insert(id.clone(), spec.clone());
        }
        let object = Object {
            kind: kind.name().to_owned(),
            spec: spec.clone(),
            outputs: outputs.clone(),
            tags: deed.tags.clone(),
            token: deed.token.clone(),
            ready_at,
            gone_at: None,
            rollout: None,
            deployment: None,
        };
        self.objects.insert(id.clone(), object);
        self.move_others(kind.name(), spec);
        Ok(Done { id, outputs, watch: None })
    }

    /// An earlier attempt of the same create, whose reply was lost.
    fn made_before(&self, deed: &Deed) -> Option<(String, &Object)> {
        let mut found = self.objects.iter().filter(|(_, object)| object.token == deed.token);
        found.next().map(|(id, object)| (id.clone(), object))
    }

    pub(super) fn update(
        &mut self,
        kind: &Registered,
        surroundings: &Surroundings,
        id: &str,
        spec: &Value,
    ) -> Result<Done> {
        let object = self.objects.get(id).filter(|object| object.gone_at.is_none());
        let Some(object) = object else {
            return self.renewed_before(kind, spec).ok_or_else(|| absent(id));
        };
        self.refuse_dangling(spec)?;
        self.refuse_taken(kind, spec, Some(id))?;
        self.refuse_unreachable(kind, spec)?;
        self.refuse_unheard(kind, spec)?;
        self.refuse_second(kind, spec)?;
        self.refuse_seated(kind, spec, &object.tags, Some(id))?;
        self.refuse_protocols(kind, spec)?;
        let spec = &inherited::without(kind, spec);
        refuse_replacing(kind, &object.spec, spec)?;
        let mut object = object.clone();
        object.spec = changed(kind, &object.spec, spec);
        if !kind.about().renews.contains(&"id") {
            // A launch template gets a version more, and stays what it is.
            if let Some(version) = object.outputs.get_mut("version") {
                *version = (version.parse::<u64>().unwrap_or(0) + 1).to_string();
            }
            let outputs = object.outputs.clone();
            self.objects.insert(id.to_owned(), object);
            self.move_others(kind.name(), spec);
            return Ok(Done { id: id.to_owned(), outputs, watch: None });
        }
        Ok(self.renew(kind, surroundings, id, object))
    }

    /// The revision that an earlier attempt has made whose reply was lost.
    fn renewed_before(&self, kind: &Registered, spec: &Value) -> Option<Done> {
        let renews = kind.about().renews.contains(&"id");
        let same = |object: &Object| object.kind == kind.name() && object.spec == *spec;
        let (id, object) = self.objects.iter().find(|(_, object)| renews && same(object))?;
        Some(Done { id: id.clone(), outputs: object.outputs.clone(), watch: None })
    }

    /// A new revision takes the place of the old one, which stays usable for those who use it.
    fn renew(
        &mut self,
        kind: &Registered,
        surroundings: &Surroundings,
        id: &str,
        mut object: Object,
    ) -> Done {
        let name = object.spec.text("name").unwrap_or_default();
        let family = format!("/{name}:");
        let revision = self.revisions.keys().filter(|arn| arn.contains(&family)).count() as u64 + 1;
        let facts = Facts {
            surroundings,
            iam_path: String::new(),
            spec: &object.spec,
            serial: self.serial,
            revision,
        };
        let new = facts.id(kind.name());
        let outputs = facts.outputs(kind, &new);
        object.outputs.clone_from(&outputs);
        self.revisions.insert(new.clone(), object.spec.clone());
        self.objects.remove(id);
        self.objects.insert(new.clone(), object);
        Done { id: new, outputs, watch: None }
    }

    pub(super) fn tag(&mut self, id: &str, change: &TagChange) {
        if let Some(object) = self.objects.get_mut(id) {
            object.tags.retain(|key, _| !change.unset.contains(key));
            object.tags.extend(change.set.clone());
        }
    }

    pub(super) fn delete(&mut self, kind: &Registered, id: &str, gone_at: f64) -> Result<Done> {
        let done = Done { id: id.to_owned(), ..Done::default() };
        if !self.objects.contains_key(id) {
            return Ok(done);
        }
        if !kind.about().dangles {
            let holder =
                self.objects.iter().find(|(other, object)| *other != id && self.holds(object, id));
            if let Some((holder, object)) = holder {
                let text = format!("{id} is in use by the {} {holder}", object.kind);
                let mut error = Error::new(Class::InUse, text);
                error.code = Some("DependencyViolation".into());
                return Err(error);
            }
        }
        if let Some(object) = self.objects.get_mut(id) {
            object.gone_at.get_or_insert(gone_at);
        }
        Ok(done)
    }

    /// Whether an object, or the revision that it runs, holds on to what it names.
    fn holds(&self, object: &Object, id: &str) -> bool {
        let kind = kinds::find(&object.kind);
        let only_follows =
            |field: &str| kind.is_some_and(|kind| kind.about().comes_after.contains(&field));
        let mut fields = object.spec.fields().filter(|(field, _)| !only_follows(field));
        let revision = object.spec.text("task-definition");
        let revision = revision.and_then(|arn| self.revisions.get(arn));
        fields.any(|(_, value)| value.mentions(id)) || revision.is_some_and(|it| it.mentions(id))
    }

    /// A reference to what is no more, or is going.
    fn refuse_dangling(&self, spec: &Value) -> Result<()> {
        let is_leaving = |id| self.objects.get(id).is_some_and(|object| object.gone_at.is_some());
        let mut mentioned = spec.texts().into_iter().flat_map(beginnings);
        match mentioned.find(|id| self.gone.contains(*id) || is_leaving(*id)) {
            Some(id) => Err(absent(id)),
            None => Ok(()),
        }
    }

    /// Something that AWS gives only once.
    fn refuse_taken(&self, kind: &Registered, spec: &Value, but: Option<&str>) -> Result<()> {
        let fields = kind.about().exclusive;
        let same = |object: &Object| fields.iter().all(|f| object.spec.get(f) == spec.get(f));
        let of_kind = self.objects.iter().filter(|(_, object)| object.kind == kind.name());
        let mut others = of_kind.filter(|(id, _)| Some(id.as_str()) != but);
        match others.find(|(_, object)| !fields.is_empty() && same(object)) {
            Some((id, _)) => {
                Err(Error::new(Class::Exists, format!("{} is taken by {id}", fields.join(" and "))))
            }
            None => Ok(()),
        }
    }

    /// What the internet reaches, in a VPC that has no internet gateway.
    fn refuse_shut_in(&self, kind: &Registered, spec: &Value) -> Result<()> {
        let is_public = match kind.name() {
            "nat-gateway" => spec.text("connectivity-type") != Some("private"),
            "load-balancer" => spec.text("scheme") != Some("internal"),
            _ => false,
        };
        let named = |id: &&str| self.objects.get(*id).and_then(|object| object.spec.text("vpc-id"));
        let ids: Vec<&str> = spec.texts().into_iter().flat_map(beginnings).collect();
        // Of a network that was there before nothing is known here.
        let is_made = |vpc: &&str| self.objects.contains_key(*vpc);
        for vpc in ids.iter().filter_map(named).filter(is_made).filter(|_| is_public) {
            let leads_out = |object: &Object| {
                object.kind == "internet-gateway" && object.spec.text("vpc-id") == Some(vpc)
            };
            if !self.objects.values().any(leads_out) {
                let text = format!("Network {vpc} has no Internet gateway attached");
                return Err(Error::new(Class::Other, text));
            }
        }
        Ok(())
    }

    /// A target group, or a name, to whose requests nobody would listen, and a volume of which nobody says
    /// what it is.
    fn refuse_unheard(&self, kind: &Registered, spec: &Value) -> Result<()> {
        let task = spec.text("task-definition").and_then(|arn| self.revisions.get(arn));
        let Some(task) = task.filter(|_| kind.name() == "service") else { return Ok(()) };
        let wrong = unheard(spec, task).into_iter().chain(unnamed(spec, task));
        match wrong.chain(unattached(spec, task)).chain(untold(spec, task)).next() {
            Some(wrong) => Err(Error::new(Class::Other, wrong.title)),
            None => Ok(()),
        }
    }

    /// CreateService: "the target group does not have an associated load balancer".
    fn refuse_unreachable(&self, kind: &Registered, spec: &Value) -> Result<()> {
        let groups = ["target-group"];
        for awaits in kind.about().awaits.iter().filter(|awaits| awaits.of == groups) {
            let groups =
                self.objects.iter().filter(|(_, object)| groups.contains(&object.kind.as_str()));
            for (group, _) in groups.filter(|(id, _)| spec.mentions(id)) {
                let forwards = |object: &Object| {
                    awaits.by.contains(&object.kind.as_str()) && object.spec.mentions(group)
                };
                if !self.objects.values().any(forwards) {
                    let text = format!("{group} does not have an associated load balancer");
                    return Err(Error::new(Class::Other, text));
                }
            }
        }
        Ok(())
    }
}

impl Object {
    fn live(&self, id: &str, now: f64) -> Live {
        let rollout = self.rollout.as_ref().and_then(|rollout| rollout.condition(now));
        let condition = match (self.gone_at, rollout) {
            (Some(_), _) => Condition::Leaving("being deleted".into()),
            (None, Some(progress)) => Condition::Settling(progress),
            (None, None) if self.ready_at > now => Condition::Settling("provisioning".into()),
            (None, None) => Condition::Ready,
        };
        Live {
            kind: self.kind.clone(),
            address: self.tags.get(TAG_ID).and_then(|address| address.parse().ok()),
            id: id.to_owned(),
            spec: self.spec.clone(),
            outputs: self.outputs.clone(),
            tags: self.tags.clone(),
            condition,
            earlier: BTreeMap::new(),
        }
    }
}

fn refuse_replacing(kind: &Registered, was: &Value, spec: &Value) -> Result<()> {
    let mut fields = spec.fields();
    match fields.find(|(field, value)| kind.replaces(field) && was.get(field) != Some(value)) {
        Some((field, _)) => {
            Err(Error::new(Class::Other, format!("`{field}` cannot be changed in place")))
        }
        None => Ok(()),
    }
}

fn absent(id: &str) -> Error {
    Error::new(Class::Absent, format!("there is no {id}"))
}
