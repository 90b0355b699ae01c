//! `dashboard = true`: what the stack does, on a page of CloudWatch: its load balancers and services in graphs.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::Document;
use super::balancers::{Balancer, Balancers};
use super::cluster::{Cluster, NAME};
use super::declaration::Declaration;
use super::route::{Lead, Route, watched};
use super::sheet::Sheet;
use crate::address::Path;

/// A dashboard is so many columns wide.
const COLUMNS: usize = 24;
/// A graph is so many rows high.
const HEIGHT: usize = 6;

/// The dashboard, if one is asked for.
pub(super) fn expand(
    document: &Document,
    balancers: &Balancers,
    routes: &BTreeMap<String, Vec<Route>>,
    sheet: &mut Sheet,
) {
    if document.dashboard != Some(true) {
        return;
    }
    let cluster = document.cluster.clone().unwrap_or_default();
    let mut board = Board::default();
    for balancer in balancers.stands().map(|stand| stand.balancer) {
        let graphs = match &balancer {
            Balancer::Application(_) => of_requests(&balancer),
            Balancer::Network(_) => of_connections(&balancer),
        };
        board.row(&balancer.told(), &graphs);
    }
    for (name, service) in &document.service {
        let route = routes.get(name).and_then(|routes| watched(routes));
        let groups = route.map(|route| (route, route.groups(service)));
        board.row(&format!("service {name}"), &of_service(name, groups, &cluster));
    }
    for name in document.daemon.keys() {
        board.row(&format!("daemon {name}"), &of_service(name, None, &cluster));
    }
    let section = Path::of(["dashboard"]);
    let body = json!({ "widgets": board.widgets });
    sheet.add(Declaration::new("dashboard", "main", &section).with("body", body));
}

/// A line in a graph: metric, statistic and what it is called.
type Line = (Json, &'static str, String);

/// A graph: its title, whether its lines are per cent, and they.
struct Graph {
    title: &'static str,
    most: Option<u32>,
    lines: Vec<Line>,
}

impl Graph {
    fn new(title: &'static str, lines: Vec<Line>) -> Self {
        Self { title, most: None, lines }
    }

    /// A line of CloudWatch is namespace, name and dimensions in a row, and then how it is drawn.
    fn properties(&self) -> Json {
        let line = |(metric, statistic, label): &Line| {
            let mut words = metric.as_array().cloned().unwrap_or_default();
            words.push(json!({ "stat": statistic, "label": label }));
            Json::Array(words)
        };
        let mut axis = json!({ "min": 0 });
        if let Some(most) = self.most {
            axis["max"] = json!(most);
        }
        json!({
            "title": self.title,
            "region": "${aws.region}",
            "view": "timeSeries",
            "period": 60,
            "metrics": self.lines.iter().map(line).collect::<Vec<_>>(),
            "yAxis": { "left": axis },
        })
    }
}

/// A line of what a load balancer counts.
fn counts(balancer: &Balancer, metric: &str, statistic: &'static str, label: &str) -> Line {
    let metric = json!([balancer.namespace(), metric, "LoadBalancer", balancer.suffix()]);
    (metric, statistic, label.to_owned())
}

/// What users of a network load balancer see.
fn of_connections(balancer: &Balancer) -> Vec<Graph> {
    let line = |metric, statistic, label| counts(balancer, metric, statistic, label);
    vec![
        Graph::new(
            "connections",
            vec![
                line("ActiveFlowCount", "Average", "open"),
                line("NewFlowCount", "Sum", "new in a minute"),
            ],
        ),
        Graph::new("bytes a minute", vec![line("ProcessedBytes", "Sum", "bytes")]),
        Graph::new(
            "connections reset in a minute",
            vec![
                line("TCP_Client_Reset_Count", "Sum", "by clients"),
                line("TCP_Target_Reset_Count", "Sum", "by tasks"),
                line("TCP_ELB_Reset_Count", "Sum", "by the load balancer"),
            ],
        ),
    ]
}

/// What users of an application load balancer see.
fn of_requests(balancer: &Balancer) -> Vec<Graph> {
    let line = |metric, statistic, label| counts(balancer, metric, statistic, label);
    vec![
        Graph::new(
            "requests a minute",
            vec![
                line("RequestCount", "Sum", "requests"),
                line("HTTPCode_Target_5XX_Count", "Sum", "errors of tasks (5xx)"),
                line("HTTPCode_ELB_5XX_Count", "Sum", "errors of its own (5xx)"),
            ],
        ),
        Graph::new(
            "seconds until an answer",
            vec![
                line("TargetResponseTime", "p50", "half of all"),
                line("TargetResponseTime", "p99", "99 of 100"),
            ],
        ),
        Graph::new(
            "connections",
            vec![
                line("ActiveConnectionCount", "Sum", "open"),
                line("RejectedConnectionCount", "Sum", "rejected"),
            ],
        ),
    ]
}

/// What a service uses, and how it answers. Only Container Insights counts tasks, and only a load balancer
/// requests.
fn of_service(name: &str, route: Option<(&Route, Vec<String>)>, cluster: &Cluster) -> Vec<Graph> {
    let service = format!("${{service.{name}.name}}");
    let metric = |space: &str, metric: &str| {
        json!([space, metric, "ClusterName", NAME, "ServiceName", service])
    };
    let used = |name: &str, label: &str| (metric("AWS/ECS", name), "Average", label.to_owned());
    let lines = vec![used("CPUUtilization", "CPU"), used("MemoryUtilization", "memory")];
    let mut graphs = vec![Graph { most: Some(100), ..Graph::new("per cent in use", lines) }];
    let mut tasks = Vec::new();
    if cluster.counts_tasks() {
        let counted = |name: &str, label: &str| {
            (metric("ECS/ContainerInsights", name), "Average", label.to_owned())
        };
        tasks.push(counted("DesiredTaskCount", "wanted"));
        tasks.push(counted("RunningTaskCount", "running"));
    }
    if let Some((route, groups)) = route {
        let each = |lines: &[(&str, &'static str, &str)]| of_groups(route, &groups, lines);
        tasks.extend(each(&[
            ("HealthyHostCount", "Minimum", "healthy"),
            ("UnHealthyHostCount", "Maximum", "unhealthy"),
        ]));
        if matches!(route.lead, Lead::Requests(_)) {
            let requests = each(&[
                ("RequestCount", "Sum", "requests"),
                ("HTTPCode_Target_5XX_Count", "Sum", "errors (5xx)"),
            ]);
            let times = each(&[
                ("TargetResponseTime", "p50", "half of all"),
                ("TargetResponseTime", "p99", "99 of 100"),
            ]);
            graphs.push(Graph::new("requests a minute", requests));
            graphs.push(Graph::new("seconds until an answer", times));
        }
    }
    if !tasks.is_empty() {
        graphs.insert(1, Graph::new("tasks", tasks));
    }
    graphs
}

/// Lines of each target group; of several each says which one it is of.
fn of_groups(route: &Route, groups: &[String], lines: &[(&str, &'static str, &str)]) -> Vec<Line> {
    let of_group = |group: &String| {
        let (balancer, suffix) = route.suffixes(group);
        let label = |label: &str| match groups.len() {
            1 => label.to_owned(),
            _ => format!("{label}, {group}"),
        };
        let line = |(metric, statistic, words): &(&str, &'static str, &str)| {
            let metric = json!([
                route.balancer.namespace(),
                metric,
                "LoadBalancer",
                balancer,
                "TargetGroup",
                suffix
            ]);
            (metric, *statistic, label(words))
        };
        lines.iter().map(line).collect::<Vec<_>>()
    };
    groups.iter().flat_map(of_group).collect()
}

/// Widgets, row by row.
#[derive(Default)]
struct Board {
    widgets: Vec<Json>,
    height: usize,
}

impl Board {
    /// A heading, and graphs side by side below it.
    fn row(&mut self, heading: &str, graphs: &[Graph]) {
        self.widgets.push(json!({
            "type": "text", "x": 0, "y": self.height, "width": COLUMNS, "height": 1,
            "properties": { "markdown": format!("## {heading}") },
        }));
        let width = COLUMNS / graphs.len().max(1);
        for (at, graph) in graphs.iter().enumerate() {
            self.widgets.push(json!({
                "type": "metric", "x": at * width, "y": self.height + 1, "width": width,
                "height": HEIGHT, "properties": graph.properties(),
            }));
        }
        self.height += 1 + HEIGHT;
    }
}
