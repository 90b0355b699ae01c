//! CIDR blocks.

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::Check;

/// A CIDR block in canonical form: host bits cleared, IPv6 in lower case and compressed, as AWS keeps
/// it. Other text is kept as it stands: it may mention outputs, and what is wrong with it is for
/// `check` to say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String")]
#[schemars(inline, extend("examples" = ["10.0.0.0/16"]))]
pub struct Cidr(String);

impl Cidr {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The block, if it is one.
    pub fn net(&self) -> Option<IpNet> {
        self.0.parse().ok()
    }

    /// Whether it mentions outputs and so cannot be judged yet.
    pub fn is_pending(&self) -> bool {
        self.0.contains("${")
    }

    /// What is wrong with it as an IPv4 block, and what to write instead.
    pub fn fault_v4(&self) -> Option<(String, String)> {
        match self.net() {
            Some(IpNet::V4(_)) => None,
            _ if self.is_pending() => None,
            Some(IpNet::V6(_)) => Some((
                format!("`{self}` is an IPv6 block where IPv4 is meant"),
                "write an IPv4 block such as `10.0.0.0/16`".to_owned(),
            )),
            None => Some((format!("`{self}` is not a CIDR block"), self.mended("10.0.0.0/16", 32))),
        }
    }

    /// What is wrong with it as an IPv6 block, and what to write instead.
    pub fn fault_v6(&self) -> Option<(String, String)> {
        match self.net() {
            Some(IpNet::V6(_)) => None,
            _ if self.is_pending() => None,
            Some(IpNet::V4(_)) => Some((
                format!("`{self}` is an IPv4 block where IPv6 is meant"),
                "write an IPv6 block such as `::/0`".to_owned(),
            )),
            None => Some((format!("`{self}` is not a CIDR block"), self.mended("::/0", 128))),
        }
    }

    /// Reports what is wrong with it as the block of `what`, a VPC or a subnet: IPv4, /16 to /28.
    pub fn check_network(&self, check: &mut Check<'_>, field: &str, what: &str) {
        if let Some((title, hint)) = self.fault_v4() {
            return check.error_with("E0221", field, title, hint).alone = true;
        }
        let Some(net) = self.net() else { return };
        let fault = match net.prefix_len() {
            0..16 => "large",
            16..=28 => return,
            _ => "small",
        };
        check
            .error_with(
                "E0221",
                field,
                format!("`{self}` is too {fault} for a {what}"),
                "write a block from /16 to /28",
            )
            .alone = true;
    }

    /// The block that a bare address most likely stands for, or `example`.
    fn mended(&self, example: &str, bits: u8) -> String {
        match self.0.parse::<std::net::IpAddr>() {
            Ok(address) => format!("write `{address}/{bits}` for one address"),
            Err(_) => format!("write a block such as `{example}`"),
        }
    }
}

impl From<String> for Cidr {
    fn from(text: String) -> Self {
        match text.parse::<IpNet>() {
            Ok(net) => Self(net.trunc().to_string()),
            Err(_) => Self(text),
        }
    }
}

impl From<&str> for Cidr {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl std::fmt::Display for Cidr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::kind::Shape;

    #[test]
    fn equal_blocks_are_equal_text() {
        assert_eq!(Cidr::from("10.0.1.5/16").as_str(), "10.0.0.0/16");
        assert_eq!(Cidr::from("2001:DB8:0:0::1/64").as_str(), "2001:db8::/64");
        assert_eq!(Cidr::from("${vpc.main.cidr}").as_str(), "${vpc.main.cidr}");
    }

    #[test]
    fn what_is_no_block_is_told_with_what_to_write() {
        let fault = |text: &str| {
            Cidr::from(text).fault_v4().map(|(title, hint)| format!("{title}; {hint}"))
        };
        assert_eq!(fault("10.0.0.0/8"), None);
        assert_eq!(fault("${vpc.main.cidr}"), None);
        insta::assert_snapshot!(fault("10.0.0.7").unwrap(), @"`10.0.0.7` is not a CIDR block; write `10.0.0.7/32` for one address");
        insta::assert_snapshot!(fault("10.0.0/16").unwrap(), @"`10.0.0/16` is not a CIDR block; write a block such as `10.0.0.0/16`");
        insta::assert_snapshot!(fault("::/0").unwrap(), @"`::/0` is an IPv6 block where IPv4 is meant; write an IPv4 block such as `10.0.0.0/16`");
    }

    #[test]
    fn it_is_text_and_can_be_a_key() {
        assert_eq!(Shape::of::<Cidr>(), Shape::Text { format: None });
        let map = Shape::of::<BTreeMap<Cidr, String>>();
        assert_eq!(map, Shape::Map(Box::new(Shape::Text { format: None })));
    }

    proptest! {
        /// B1: what is canonical stays as it is.
        #[test]
        fn canonical_is_a_fixed_point(address: u32, bits in 0u8..=32) {
            let once = Cidr::from(format!("{}/{bits}", std::net::Ipv4Addr::from(address)));
            prop_assert_eq!(Cidr::from(once.as_str()), once);
        }
    }
}
