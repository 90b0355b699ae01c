//! What the engine must know about a kind as a whole: names, orders, waits. Data only.

use std::time::Duration;

/// What dependants of a resource wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Dependants start when the resource is ready.
    Ready,
    /// Dependants start as soon as it exists; only the run's end waits for it to be ready.
    Exists,
}

/// What there is of a resource once it has been made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// Something that carries the stack's tags.
    Tagged,
    /// Something that AWS keeps no tags of: it goes by those of what it lies in.
    Untagged,
    /// Nothing: it is a deed. Whether it is done is read off what it was done for.
    Nothing,
    /// What somebody else makes: it is looked at, waited for where it is not there yet, and never touched.
    Given {
        /// What is waited for, behind *until*.
        until: &'static str,
    },
}

/// How the field `name` of a kind is filled in and kept unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The longest name AWS accepts.
    pub max: usize,
    /// What goes before `<stack>-<env>-<name>`, and what goes between the three: log groups are
    /// `/ecsctl/<stack>/<env>/<name>`.
    pub style: NameStyle,
    /// Whether the name of a successor gets a suffix, so that it can stand beside the one it replaces.
    pub suffix: bool,
}

/// The form of a default name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameStyle {
    /// `<stack>-<env>-<name>`.
    Dashed,
    /// `/ecsctl/<stack>/<env>/<name>`.
    Rooted,
    /// `<stack>/<env>/<name>`.
    Slashed,
    /// `<stack>-<env>-<name>-managed`.
    Managed,
    /// `<stack>-<env>.internal`, of `main`; and of others `<stack>-<env>-<name>.internal`. The limit is that of a
    /// label.
    Internal,
}

/// An order that references alone do not give: a resource that refers to something comes after every
/// declared resource of the kinds `by` that refers to the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaits {
    /// The kinds on the way to what both refer to, which is of the last one: a NAT gateway refers to its
    /// `subnet`, and that to the `vpc`.
    pub of: &'static [&'static str],
    /// The kinds to wait for.
    pub by: &'static [&'static str],
}

/// A field that follows from who uses the resource: left out, it is the field of the same name of the
/// declared resource of kind `of` that refers to it, directly or by one of kind `through`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inherits {
    /// The field.
    pub field: &'static str,
    /// The kind that has it.
    pub of: &'static str,
    /// The kind that stands between.
    pub through: &'static str,
}

/// A field that something else moves while it does its work (B3, B4): where it is now is no difference,
/// as long as a declared resource of kind `by` that refers to this one allows it. What a resource moves
/// itself is `by` its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovedBy {
    /// The field.
    pub field: &'static str,
    /// The kind of what moves it.
    pub by: &'static str,
    /// How far.
    pub how: Moves,
}

/// In which way a field is moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// It is a number between two others.
    Number {
        /// The fields of the mover that say the least and the greatest number.
        within: (&'static str, &'static str),
        /// Which of its words count.
        heed: Heed,
    },
    /// It is a number between two other fields of its own resource, while the mover moves it.
    Within {
        /// The fields that say the least and the greatest number.
        bounds: (&'static str, &'static str),
        /// The mover's switch, and the table in which it is.
        on: (&'static str, &'static str),
    },
    /// It is an action, whose requests go from one target group to another and back.
    Shares,
    /// It is a set of target groups, each of which changes places with its alternate.
    Places,
}

/// Whether what moves a field is heeded as it is, or as it is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heed {
    /// As it is, if it is there: it moves the field at once when its own bounds change.
    Live,
    /// As it is declared: it moves the field only when its time comes.
    Declared,
}

/// What the engine must know about a kind as a whole.
#[derive(Debug, Clone, Copy)]
pub struct About {
    /// Seconds that a create usually takes until it is ready; the scheduler's weight.
    pub seconds: u32,
    /// How long a step may take before it is given up.
    pub deadline: Duration,
    /// Fields that together are AWS's to give only once: two resources cannot have the same values in
    /// all of them at the same time. A successor that keeps them comes after the old one is gone; any
    /// other successor stands before the old one goes.
    pub exclusive: &'static [&'static str],
    /// The field of [`Self::exclusive`] that names what the resource is built on, one on one. While a
    /// resource that goes is in use, its successor is built on a successor of that.
    pub built_on: Option<&'static str>,
    /// Fields whose change replaces the resource, but in which it and its successor may differ and still
    /// be used by the same users at once (a target group's port, which ECS does not look at).
    pub alike_but_for: &'static [&'static str],
    /// Whether others may go on naming the old one while it is gone and its successor does not stand
    /// yet (a route to a NAT gateway becomes a black hole; a subnet in use cannot go).
    pub dangles: bool,
    /// What dependants wait for.
    pub gate: Gate,
    /// How the field `name` is made. `None` for kinds without one.
    pub naming: Option<Naming>,
    /// Kinds that are observed before this one, because it is found through them.
    pub observed_after: &'static [&'static str],
    /// Outputs by which others may mention the resource: a task definition names its log group.
    pub mentioned_as: &'static [&'static str],
    /// Sets whose members belong to one resource of the kind at a time, and go over to another at once: the
    /// subnets of a route table. The other takes them before this one lets go.
    pub hands_over: &'static [&'static str],
    /// Fields that name what comes first, and for nothing else: what they name may go while they name it; but
    /// where both go, it goes last.
    pub comes_after: &'static [&'static str],
    /// Orders beyond references.
    pub awaits: &'static [Awaits],
    /// The field that users decide.
    pub inherits: Option<Inherits>,
    /// Fields that something else moves.
    pub moved_by: &'static [MovedBy],
    /// Fields whose change in place replaces what runs: the tasks of a service.
    pub rolls: &'static [&'static str],
    /// Whether an update gives some outputs new values (a task definition's revision): the outputs'
    /// names. Whoever refers to them sees them as unknown until the update is done.
    pub renews: &'static [&'static str],
    /// What there is of it once it has been made.
    pub remains: Remains,
}

impl About {
    /// A kind that is there at once and can stand beside its successor.
    pub const DEFAULT: Self = Self {
        seconds: 1,
        deadline: Duration::from_secs(300),
        exclusive: &[],
        built_on: None,
        alike_but_for: &[],
        dangles: false,
        gate: Gate::Ready,
        naming: None,
        observed_after: &[],
        mentioned_as: &["id", "arn", "uri"],
        hands_over: &[],
        comes_after: &[],
        awaits: &[],
        inherits: None,
        moved_by: &[],
        rolls: &[],
        renews: &[],
        remains: Remains::Tagged,
    };
}
