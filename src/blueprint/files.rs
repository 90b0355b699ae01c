//! File systems that tasks mount: the security group of their mount targets lets the tasks in, by rules that go with
//! whoever needs them.

use super::declaration::Declaration;
use super::doors::{admitting, named, pool_of};
use super::ground::Ground;
use super::service::Service;
use crate::address::Path;

/// The port of NFS, at which mount targets answer.
const NFS: u16 = 2049;

/// The rules for the volumes of the service `name`, by their names. Services on the same instances share a group, and
/// so the rules.
pub(super) fn rules(
    name: &str,
    section: &Path,
    service: &Service,
    ground: &Ground,
) -> Vec<(String, Declaration)> {
    let mut found = Vec::new();
    for (own, volume) in &service.volume {
        let Some(group) = volume.security_group.as_deref() else { continue };
        for sender in ground.groups(name) {
            let rule = format!("{}-from-{}-tcp-{NFS}", called(group), named(&sender, name));
            let of = pool_of(&sender).map_or(section.clone(), |it| Path::of(["capacity", it]));
            let key = section.join("volume").join(own).join("security-group");
            let declared = admitting(&rule, &of, &sender, ("tcp", NFS, NFS))
                .from("security-group-id", group, key)
                .with("description", format!("files for {}", named(&sender, name)));
            found.push((rule, declared));
        }
    }
    found
}

/// The group in the name of a rule: its id, or the name that it has in the spec.
fn called(group: &str) -> String {
    let name = group.strip_prefix("${").and_then(|inner| inner.split('.').nth(1));
    name.unwrap_or(group).to_owned()
}
