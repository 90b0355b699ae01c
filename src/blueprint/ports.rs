//! The ports that routes lead from and to: of network load balancers, and of containers.

use std::collections::BTreeMap;

use super::balancers::Balancer;
use super::ground::Mode;
use super::member::{Member, Members};
use super::route::{Lead, Route};
use super::sheet::Sheet;
use crate::address::Path;
use crate::diag::{Diagnostic, THE_OTHER};

/// Lets containers listen at the ports that further routes lead to, unless they say that they do.
pub(super) fn open(routes: &[Route], mode: Mode, members: &mut Members, sheet: &mut Sheet) {
    for route in routes.iter().filter(|route| route.group != route.service) {
        for (protocol, port) in route.doors() {
            let heard = |member: &Member| member.ports().any(|(own, _)| own == (protocol, port));
            if heard(&members[&route.container]) {
                continue;
            }
            let key = route.section.join("port");
            let taken = members.values().find(|member| heard(member));
            if let Some(other) = taken.filter(|_| mode != Mode::Bridge) {
                let title = format!("two containers of a task listen on port {port}");
                let fault = Diagnostic::error("E0265", title).at_key(key, "");
                let fault = fault.at_key(other.keys.clone(), "the containers share one address");
                sheet.fault(fault.hint("let one of them listen on another port"));
            } else if let Some(member) = members.get_mut(&route.container) {
                member.routed.insert((protocol, port), key);
            }
        }
    }
}

/// E0376: whether two routes lead from one port of a network load balancer.
pub(super) fn check<'r>(routes: impl Iterator<Item = &'r Route>, sheet: &mut Sheet) {
    let mut seen: BTreeMap<(&Balancer, u16), Path> = BTreeMap::new();
    for route in routes {
        let Lead::Port(transport, port) = route.lead else { continue };
        let key = route.section.join(transport.key());
        let Some(first) = seen.insert((&route.balancer, port), key.clone()) else { continue };
        let title = format!("two routes lead from port {port} of `{}`", route.balancer.section());
        let fault = Diagnostic::error("E0376", title).at(key, "").at(first, THE_OTHER);
        sheet.fault(
            fault.hint("give one of them another port; what takes TCP and UDP is `tcp-udp`"),
        );
    }
}
