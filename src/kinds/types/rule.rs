//! Security-group rules: one protocol, one range of ports, one peer.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Cidr;

/// An IP protocol by the name that AWS gives it: `tcp`, `udp`, `icmp`, `icmpv6`, `all`; any other by
/// its number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String")]
#[schemars(inline)]
pub struct Protocol(String);

/// Numbers for which AWS answers with a name. `all` is ours: the wire knows only `-1`.
const NAMED: [(&str, &str); 5] =
    [("-1", "all"), ("1", "icmp"), ("6", "tcp"), ("17", "udp"), ("58", "icmpv6")];

/// What the two port fields of a protocol mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ports {
    /// Ports, both of them.
    Range,
    /// ICMP's type and code, or neither for all.
    TypeAndCode,
    /// Nothing: there must be none.
    None,
}

impl Protocol {
    /// The name or number.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the API's `IpProtocol` is to say.
    pub fn on_the_wire(&self) -> &str {
        if self.0 == "all" { "-1" } else { &self.0 }
    }

    fn ports(&self) -> Ports {
        match self.0.as_str() {
            "tcp" | "udp" => Ports::Range,
            "icmp" | "icmpv6" => Ports::TypeAndCode,
            _ => Ports::None,
        }
    }

    fn is_known(&self) -> bool {
        NAMED.iter().any(|(_, name)| *name == self.0) || self.0.parse::<u8>().is_ok()
    }
}

impl From<String> for Protocol {
    fn from(text: String) -> Self {
        match NAMED.iter().find(|(number, _)| *number == text) {
            Some((_, name)) => Self((*name).to_owned()),
            None => Self(text.to_ascii_lowercase()),
        }
    }
}

impl From<&str> for Protocol {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// One rule of a security group: one protocol, one range of ports, one peer. There is one way to
/// write each rule, so that equal rules are equal documents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, `icmpv6`, `all`, or a protocol's number.
    pub protocol: Protocol,
    /// The first port; for ICMP the type. Left out for `all`, and for all of ICMP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_port: Option<i32>,
    /// The last port; for ICMP the code, -1 for every code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_port: Option<i32>,
    /// The peer: an IPv4 block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr: Option<Cidr>,
    /// The peer: an IPv6 block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cidr_ipv6: Option<Cidr>,
    /// The peer: the members of a security group, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security_group: Option<String>,
    /// The peer: the blocks of a managed prefix list, by its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix_list: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Something wrong with a rule, and the field it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The diagnostic's code.
    pub code: &'static str,
    /// The rule's field.
    pub field: &'static str,
    /// What is wrong.
    pub title: String,
    /// What to write.
    pub hint: String,
}

impl Fault {
    fn new(
        code: &'static str,
        field: &'static str,
        title: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { code, field, title: title.into(), hint: hint.into() }
    }
}

impl Rule {
    /// Everything to and from anywhere over IPv4: what AWS puts into the egress of a new group.
    pub fn allow_all() -> Self {
        Self {
            protocol: Protocol::from("all"),
            from_port: None,
            to_port: None,
            cidr: Some(Cidr::from("0.0.0.0/0")),
            cidr_ipv6: None,
            security_group: None,
            prefix_list: None,
            description: None,
        }
    }

    /// A rule as AWS tells it, whose ports are -1 where there are none to speak of.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        let none = match self.protocol.ports() {
            Ports::Range => false,
            Ports::TypeAndCode => self.from_port.is_none_or(|kind| kind == -1),
            Ports::None => true,
        };
        if none {
            (self.from_port, self.to_port) = (None, None);
        }
        self.description = self.description.filter(|text| !text.is_empty());
        self
    }

    /// `FromPort` and `ToPort` of the authorize calls: ICMP says -1 where it means all.
    pub fn ports_on_the_wire(&self) -> (Option<i32>, Option<i32>) {
        match self.protocol.ports() {
            Ports::TypeAndCode => (self.from_port.or(Some(-1)), self.to_port.or(Some(-1))),
            Ports::Range | Ports::None => (self.from_port, self.to_port),
        }
    }

    /// Whether AWS takes the two for one rule: the description does not count.
    pub fn is_same(&self, other: &Self) -> bool {
        let bare = |rule: &Self| Self { description: None, ..rule.clone() };
        bare(self) == bare(other)
    }

    /// What is wrong with it, as far as that can be said before outputs are known.
    pub fn faults(&self) -> Vec<Fault> {
        let described = self.description.as_deref().and_then(|text| {
            text_fault(text).map(|fault| {
                Fault::new(
                    "E0223",
                    "description",
                    format!("a rule's description {fault}"),
                    TEXT_HINT,
                )
            })
        });
        [self.port_fault(), self.peer_fault(), self.block_fault(), described]
            .into_iter()
            .flatten()
            .collect()
    }

    fn port_fault(&self) -> Option<Fault> {
        let protocol = self.protocol.as_str();
        let fault =
            |field, title: String, hint: &str| Some(Fault::new("E0222", field, title, hint));
        if !self.protocol.is_known() {
            let title = format!("there is no protocol `{protocol}`");
            return fault(
                "protocol",
                title,
                "write `tcp`, `udp`, `icmp`, `icmpv6`, `all` or a number",
            );
        }
        let range = (self.from_port, self.to_port);
        match (self.protocol.ports(), range) {
            (Ports::None | Ports::TypeAndCode, (None, None)) => None,
            (Ports::None, _) => {
                let title = format!("protocol `{protocol}` has no ports");
                fault("from-port", title, "leave out from-port and to-port")
            }
            (Ports::TypeAndCode, (Some(0..=255), Some(-1..=255))) => None,
            (Ports::TypeAndCode, _) => {
                let title =
                    format!("`{protocol}` wants a type from 0 to 255 and a code from -1 to 255");
                fault("from-port", title, "leave out from-port and to-port to mean every type")
            }
            (Ports::Range, (Some(from @ 0..=65535), Some(to @ 0..=65535))) if from <= to => None,
            (Ports::Range, (Some(from @ 0..=65535), Some(to @ 0..=65535))) => {
                let title = format!("ports {from} to {to} run backwards");
                fault("to-port", title, "write the lower port in from-port")
            }
            (Ports::Range, (Some(_), Some(_))) => {
                fault("from-port", "a port is not from 0 to 65535".to_owned(), "write 0 to 65535")
            }
            (Ports::Range, _) => {
                let title = format!("`{protocol}` wants from-port and to-port");
                fault("from-port", title, "write both; the same port twice for one port")
            }
        }
    }

    fn peer_fault(&self) -> Option<Fault> {
        let Self { cidr, cidr_ipv6, security_group, prefix_list, .. } = self;
        let peers =
            [cidr.is_some(), cidr_ipv6.is_some(), security_group.is_some(), prefix_list.is_some()];
        let wanted = "write exactly one of cidr, cidr-ipv6, security-group and prefix-list";
        match peers.into_iter().filter(|there| *there).count() {
            1 => {}
            0 => return Some(Fault::new("E0224", "cidr", "the rule names no peer", wanted)),
            count => {
                let title = format!("the rule names {count} peers");
                return Some(Fault::new(
                    "E0224",
                    "cidr",
                    title,
                    format!("{wanted}, in a rule each"),
                ));
            }
        }
        let id = |field, text: &Option<String>, prefix: &str, what: &str| {
            let text = text.as_ref()?;
            let fits = text.starts_with(prefix) || text.contains("${");
            let title = format!("`{text}` is not the id of a {what}");
            let hint = format!("write an id such as `{prefix}0123456789abcdef0`, or a reference");
            (!fits).then(|| Fault::new("E0224", field, title, hint))
        };
        id("security-group", security_group, "sg-", "security group")
            .or_else(|| id("prefix-list", prefix_list, "pl-", "prefix list"))
    }

    fn block_fault(&self) -> Option<Fault> {
        let v4 = self.cidr.as_ref().and_then(Cidr::fault_v4).map(|fault| ("cidr", fault));
        let v6 = self.cidr_ipv6.as_ref().and_then(Cidr::fault_v6).map(|fault| ("cidr-ipv6", fault));
        v4.or(v6).map(|(field, (title, hint))| Fault::new("E0221", field, title, hint))
    }
}

/// What to write in names and descriptions of security groups and rules.
pub(crate) const TEXT_HINT: &str =
    "use up to 255 of letters, digits, spaces and `._-:/()#,@[]+=&;{}!$*`";

/// What is wrong with the text of a group's name or description, or of a rule's: `{what} {fault}`.
pub(crate) fn text_fault(text: &str) -> Option<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if let Some(wrong) = text.chars().find(|c| !legal(*c)) {
        return Some(format!("cannot hold `{wrong}`"));
    }
    let length = text.len();
    (length > 255).then(|| format!("has {length} characters, 255 are allowed"))
}

/// What makes a group's rules of one direction the wanted ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rules to add.
    pub authorize: Vec<Rule>,
    /// Ids of rules whose description changes, and what to.
    pub describe: Vec<(String, Option<String>)>,
    /// Ids of rules to remove.
    pub revoke: Vec<String>,
}

impl Changes {
    /// What makes `wanted` of `live`, which has an id for each rule.
    pub fn between(live: &[(String, Rule)], wanted: &BTreeSet<Rule>) -> Self {
        let mut changes = Self::default();
        for (id, rule) in live {
            match wanted.iter().find(|want| want.is_same(rule)) {
                None => changes.revoke.push(id.clone()),
                Some(want) if want.description != rule.description => {
                    changes.describe.push((id.clone(), want.description.clone()));
                }
                Some(_) => {}
            }
        }
        let missing = |want: &&Rule| !live.iter().any(|(_, rule)| rule.is_same(want));
        changes.authorize = wanted.iter().filter(missing).cloned().collect();
        changes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tcp(port: i32) -> Rule {
        Rule {
            protocol: Protocol::from("tcp"),
            from_port: Some(port),
            to_port: Some(port),
            ..Rule::allow_all()
        }
    }

    fn faults(rule: &Rule) -> String {
        let line = |fault: &Fault| format!("{} {}: {}", fault.code, fault.field, fault.title);
        rule.faults().iter().map(line).collect::<Vec<_>>().join("\n")
    }

    /// B1: AWS's spellings of one rule are one rule.
    #[test]
    fn numbers_are_names_and_absent_ports_are_absent() {
        let live = |protocol: &str, from_port, to_port| {
            Rule { protocol: Protocol::from(protocol), from_port, to_port, ..tcp(0) }.canonical()
        };
        assert_eq!(live("6", Some(443), Some(443)), tcp(443));
        assert_eq!(live("-1", Some(-1), Some(-1)), Rule::allow_all());
        assert_eq!(live("-1", None, None), Rule::allow_all());
        assert_eq!(live("1", Some(-1), Some(-1)), live("icmp", None, None));
        assert_eq!(live("icmp", Some(8), Some(-1)).from_port, Some(8));
        assert_eq!(live("50", Some(0), Some(0)), live("50", None, None));
        assert_eq!(Protocol::from("-1").on_the_wire(), "-1");
        assert_eq!(Protocol::from("TCP").as_str(), "tcp");
    }

    #[test]
    fn a_rule_has_ports_that_its_protocol_knows_and_one_peer() {
        assert_eq!(faults(&tcp(443)), "");
        assert_eq!(faults(&Rule::allow_all()), "");
        let wrong = [
            Rule { to_port: Some(70), ..tcp(80) },
            Rule { to_port: None, ..tcp(80) },
            tcp(70_000),
            Rule { protocol: Protocol::from("all"), ..tcp(80) },
            Rule { protocol: Protocol::from("http"), ..tcp(80) },
            Rule { protocol: Protocol::from("icmp"), from_port: Some(8), ..Rule::allow_all() },
            Rule { cidr: None, ..tcp(80) },
            Rule { prefix_list: Some("pl-1".into()), ..tcp(80) },
            Rule { cidr: None, security_group: Some("web".into()), ..tcp(80) },
            Rule { cidr: Some(Cidr::from("::/0")), ..tcp(80) },
            Rule { description: Some("naïve".into()), ..tcp(80) },
        ];
        insta::assert_snapshot!(wrong.iter().map(faults).collect::<Vec<_>>().join("\n"), @r"
        E0222 to-port: ports 80 to 70 run backwards
        E0222 from-port: `tcp` wants from-port and to-port
        E0222 from-port: a port is not from 0 to 65535
        E0222 from-port: protocol `all` has no ports
        E0222 protocol: there is no protocol `http`
        E0222 from-port: `icmp` wants a type from 0 to 255 and a code from -1 to 255
        E0224 cidr: the rule names no peer
        E0224 cidr: the rule names 2 peers
        E0224 security-group: `web` is not the id of a security group
        E0221 cidr: `::/0` is an IPv6 block where IPv4 is meant
        E0223 description: a rule's description cannot hold `ï`
        ");
    }

    #[test]
    fn a_description_changes_in_place() {
        let live = [("sgr-1".to_owned(), tcp(80)), ("sgr-2".to_owned(), tcp(81))];
        let web = Rule { description: Some("web".into()), ..tcp(80) };
        let changes = Changes::between(&live, &BTreeSet::from([web, tcp(443)]));
        assert_eq!(changes.describe, [("sgr-1".to_owned(), Some("web".to_owned()))]);
        assert_eq!(changes.revoke, ["sgr-2"]);
        assert_eq!(changes.authorize, [tcp(443)]);
    }

    fn rules() -> impl Strategy<Value = BTreeSet<Rule>> {
        let rule = (0..6i32, proptest::option::of("[a-c]"))
            .prop_map(|(port, description)| Rule { description, ..tcp(port) });
        // AWS takes two rules that differ in their description alone for one.
        proptest::collection::vec(rule, 0..8).prop_map(|rules| {
            let first = |at: usize| rules[..at].iter().all(|rule| !rule.is_same(&rules[at]));
            (0..rules.len()).filter(|at| first(*at)).map(|at| rules[at].clone()).collect()
        })
    }

    proptest! {
        /// N11: after the changes the rules are the wanted ones, and nothing changes again.
        #[test]
        fn changes_make_the_wanted_rules(live in rules(), wanted in rules()) {
            let numbered = |rules: &BTreeSet<Rule>| -> Vec<(String, Rule)> {
                rules.iter().enumerate().map(|(at, rule)| (at.to_string(), rule.clone())).collect()
            };
            let before = numbered(&live);
            let changes = Changes::between(&before, &wanted);
            let mut after: Vec<Rule> = changes.authorize.clone();
            for (id, rule) in &before {
                let described = changes.describe.iter().find(|(of, _)| of == id);
                let description = described.map_or_else(|| rule.description.clone(), |(_, text)| text.clone());
                if !changes.revoke.contains(id) {
                    after.push(Rule { description, ..rule.clone() });
                }
            }
            let after: BTreeSet<Rule> = after.into_iter().collect();
            prop_assert_eq!(&after, &wanted);
            prop_assert_eq!(Changes::between(&numbered(&after), &wanted), Changes::default());
        }
    }
}
