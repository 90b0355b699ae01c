//! What is refused, and in which words.

use std::collections::BTreeSet;

use serde_json::json;

use super::{line, load};
use crate::blueprint::{expand, read};
use crate::spec::Unread;

/// What is wrong with a spec, in short.
fn faults(text: &str) -> String {
    let head = "ecsctl = 1\nstack = \"s\"\n";
    let (document, options) = load(&format!("{head}{text}"), None);
    let found = expand(&document, options, &Unread::default()).faults;
    assert!(!found.is_empty(), "nothing is wrong");
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn networks_that_cannot_work_are_refused() {
    let web = "[service.web]\nimage = \"i\"\n";
    insta::assert_snapshot!(faults(&format!("{web}[network]\ncidr = \"10.0.0.0/25\"")), @r#"E0260 `10.0.0.0/25` is too small for public and private subnets (network.cidr); write a network from /16 to /24, such as "10.0.0.0/16""#);
    insta::assert_snapshot!(faults(&format!("{web}[network]\nnat = \"none\"")), @r#"E0261 tasks in private subnets cannot reach the internet without NAT (network.nat); write `nat = "single"` or `"endpoints"`, or `mode = "public"`"#);
    insta::assert_snapshot!(faults("[network]\nmode = \"public\"\nnat = \"single\""), @r#"E0261 nothing would use NAT: in mode `public` there are no private subnets (network.nat); write `nat = "none"`, or `mode = "private"`"#);
}

#[test]
fn images_that_no_endpoint_leads_to_are_refused() {
    let endpoints = "[network]\nnat = \"endpoints\"\n";
    insta::assert_snapshot!(faults(&format!(
        "{endpoints}[service.web]\nimage = \"i\"\nxray = true"
    )), @r#"
    E0331 `i` is on Docker Hub, and no endpoint leads there (service.web.image); copy the image to a repository of ECR, or write `network.nat = "single"`
    E0331 `public.ecr.aws/xray/aws-xray-daemon:3.x` is on public.ecr.aws, and no endpoint leads there (service.web.xray); copy the image to a repository of ECR, or write `network.nat = "single"`
    "#);
    insta::assert_snapshot!(faults("[network]\nmode = \"public\"\nnat = \"endpoints\""), @r#"E0261 nothing would use the endpoints: in mode `public` there are no private subnets (network.nat); write `nat = "none"`, or `mode = "private"`"#);
}

#[test]
fn networks_that_exist_already_have_to_be_of_use() {
    let vpc = "[network]\nvpc = \"vpc-0a1b2c3d\"\n";
    let (one, two) = ("\"subnet-0a1b2c3d\"", "\"subnet-0a1b2c3d\", \"subnet-0a1b2c3e\"");
    let web = "[service.web]\nimage = \"i\"\n";
    let public = "[service.web]\nimage = \"i\"\nport = 80\n";
    let told = [
        format!("{vpc}cidr = \"10.0.0.0/16\"\nnat = \"single\"\nsubnets.private = [{one}]\n{web}"),
        format!("{vpc}{web}"),
        format!("{vpc}mode = \"public\"\nsubnets.private = [{two}]\n{web}"),
        format!("{vpc}subnets.private = [{two}]\n{public}"),
        format!("{vpc}subnets.public = [{one}]\n{public}"),
        format!("{vpc}subnets.private = [{two}]\n{public}[alb.main]\npublic = false"),
        format!("[network]\nsubnets.private = [{two}]\n{web}"),
    ];
    let told: Vec<String> = told.iter().map(|text| faults(text)).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    E0332 `cidr` is of a network that is made, and this one exists already (network.cidr); leave it out, or leave out `vpc`
    E0332 `nat` is of a network that is made, and this one exists already (network.nat); leave it out, or leave out `vpc`
    E0332 which subnets of `vpc-0a1b2c3d` are meant is not said (network.vpc); write `subnets.private = ["subnet-…"]`, or `public`
    E0332 there are no public subnets for tasks to run in (network.mode); write them under `subnets.public`
    E0332 the load balancer `main` needs public subnets (network.subnets); write two under `subnets.public`, or `public = false` in `main`
    E0332 the load balancer `main` needs public subnets in two zones (network.subnets); write another one under `subnets.public`
    E0332 the addresses of the VPC, which `main` lets in, are not known (alb.main); write `from = ["10.0.0.0/16"]`: the VPC's block, or less
    E0332 subnets that exist already are in a VPC that exists already (network.subnets); write `vpc = "vpc-…"` too, or leave it out
    "#);
}

#[test]
fn names_of_nothing_are_refused() {
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nport = 80\nhttp.alb = \"amin\"\n[alb.main]\n[alb.admin]"), @"E0262 there is no load balancer `amin` (service.web.http.alb); write `admin`");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nhttp = { container = \"x\", port = 1 }"), @"E0262 there is no container `x` (service.web.http.container); write `web`, the only container");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nafter = { db = \"start\" }"), @"E0262 there is no other container `db` (service.web.after.db); declare `db`, or leave this out");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nvolume.tmp = { mount = \"/tmp\", readonly = [\"wbe\"] }"), @"E0262 there is no container `wbe` (service.web.volume.tmp.readonly); write `web`");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nfrom = [\"web\", \"elsewhere\"]"), @r#"
    E0270 `elsewhere` is neither a network nor another service (service.web.from); write a network such as "10.0.0.0/16", or a service's name
    E0270 `web` is neither a network nor another service (service.web.from); write a network such as "10.0.0.0/16", or a service's name
    "#);
}

#[test]
fn containers_must_fit_together() {
    insta::assert_snapshot!(faults("[service.web]\nport = 80"), @r#"E0263 the service `web` has no image (service.web); add `image = "…"`, or a table `container`"#);
    insta::assert_snapshot!(faults("[service.web.container.a]\nport = 80"), @r#"E0263 the container `a` has no image (service.web.container.a); add `image = "…"`"#);
    insta::assert_snapshot!(faults("[service.web]\nenv = { A = \"1\" }\n[service.web.container.a]\nimage = \"i\""), @"E0263 `env` belongs to a container, but the service has no `image` (service.web.env); write `env` in the container it is for, or add `image`");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\n[service.web.container.web]\nimage = \"j\""), @"E0263 two containers are called `web` (service.web.container.web, service.web.image); give the one in `container` another name");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nport = 80\n[service.web.container.a]\nimage = \"j\"\nport = 80"), @"E0265 two containers of a task listen on port 80 (service.web.port, service.web.container.a.port); let one of them listen on another port");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nsecrets = { KEY = \"hunter2\" }"), @r#"E0267 `hunter2` does not say where the secret is (service.web.secrets.KEY); write "ssm:/name", "sm:name", "sm:name#key" or an ARN"#);
}

#[test]
fn requests_must_have_one_place_to_go() {
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\npublic = true"), @"E0264 the port that `web` answers on is not said (service.web); add `port`, or write `public = false`");
    insta::assert_snapshot!(faults("[service.web]\nhttp = \"/*\"\n[service.web.container.a]\nimage = \"i\"\nport = 1\n[service.web.container.b]\nimage = \"i\"\nport = 2"), @r#"E0264 which container of `web` answers requests is not said (service.web.http); write for example `http.container = "a"`"#);
    insta::assert_snapshot!(faults("[service.a]\nimage = \"i\"\nport = 1\n[service.b]\nimage = \"i\"\nport = 2"), @r#"E0266 `a` and `b` both take `/*` (service.b, service.a); let one take others, for example `service.b.http = "/b/*"`"#);
    insta::assert_snapshot!(faults("[service.a]\nimage = \"i\"\nport = 1\nhttp = { path = \"/a\", priority = 5 }\n[service.b]\nimage = \"i\"\nport = 2\nhttp = { path = \"/b\", priority = 5 }"), @"E0266 two services have the priority 5 (service.b.http.priority, service.a.http.priority); leave out both, or give one of them another");
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nport = 1\nhttp.health = \"curl localhost\""), @r#"E0268 a load balancer cannot run a command (service.web.http.health); write a path such as "/healthz", or put it in the container"#);
    insta::assert_snapshot!(faults("[service.web]\nimage = \"i\"\nport = 1\n[service.web.container.a]\nimage = \"i\"\nhealth = \"/ok\""), @"E0268 no load balancer asks this container: `web` answers (service.web.container.a.health); write a command that is run in the container");
}

#[test]
fn sections_may_not_stand_for_the_same_thing() {
    insta::assert_snapshot!(faults("[alb.main]\n[service.alb-main]\nimage = \"i\""), @"E0271 `alb.main` and `service.alb-main` both stand for `security-group.alb-main` (service.alb-main); give one of them another name");
    insta::assert_snapshot!(faults("[service.a]\nimage = \"i\"\nlogs.group = \"g\"\n[service.b]\nimage = \"i\"\nlogs.group = \"g\""), @"E0272 two sections write to the log group `g` (service.b.logs.group, service.a.logs.group); leave out `group`, or give one of them another");
}

#[test]
fn what_is_scaled_has_bounds_and_is_counted_by_somebody() {
    let web = "[service.web]\nimage = \"i\"\n";
    let count = |count: &str| faults(&format!("{web}count = {{ {count} }}"));
    insta::assert_snapshot!(count("min = 2, cpu = 50"), @"E0280 how far the tasks are scaled is not said (service.web.count.cpu); add `max`, the most that there may be");
    insta::assert_snapshot!(count("tasks = 2, max = 4"), @"E0280 the tasks are either so many, or scaled (service.web.count.max); leave out `tasks`, or everything else");
    insta::assert_snapshot!(count("max = 4, requests = 100"), @"E0284 no load balancer counts `requests`: the service is behind none (service.web.count.requests); leave it out, or give the service `http`");
    insta::assert_snapshot!(faults(&format!("{web}alarms.latency = \"2s\"")), @"E0284 no load balancer counts `latency`: the service is behind none (service.web.alarms.latency); leave it out, or give the service `http`");
}

#[test]
fn volumes_have_the_keys_of_their_type() {
    let volume = |keys: &str| {
        faults(&format!(
            "[service.web]\nimage = \"i\"\n[service.web.volume.d]\nmount = \"/d\"\n{keys}"
        ))
    };
    insta::assert_snapshot!(volume("size = \"20GB\""), @r#"E0361 a volume of the type `scratch` has no `size` (service.web.volume.d.size); leave it out, or write `type = "ebs"`"#);
    insta::assert_snapshot!(volume("type = \"efs\"\nscope = \"task\""), @r#"
    E0361 a volume of the type `efs` has no `scope` (service.web.volume.d.scope); leave it out, or write `type = "docker"`
    E0361 which file system it is, is not said (service.web.volume.d); add for example `id = "fs-0123456789abcdef0"`
    "#);
    insta::assert_snapshot!(volume("type = \"bind\"\nat = { log = \"/l\" }"), @r#"
    E0361 which path of the instance it is, is not said (service.web.volume.d); add for example `path = "/var/cache"`
    E0262 there is no container `log` (service.web.volume.d.at); write `web`, the only container
    "#);
    insta::assert_snapshot!(volume("type = \"ebs\"\nsize = \"20GB\"\nkms-key = \"alias/k\"\npath = \"/p\""), @r#"
    E0361 a volume of the type `ebs` has no `path` (service.web.volume.d.path); leave it out, or write `type = "efs"` or `type = "bind"`
    E0361 `alias/k` is not the ARN of a key (service.web.volume.d.kms-key); write `arn:aws:kms:REGION:ACCOUNT:key/ID`
    "#);
}

#[test]
fn managed_instances_are_the_affair_of_ecs() {
    let managed = "[capacity.m]\ntype = \"managed\"\n";
    insta::assert_snapshot!(faults(&format!("{managed}count.max = 2\nami = \"al2023\"\nspot = \"50%\"\nagent = {{ A = \"b\" }}")), @r#"
    E0363 ECS itself counts its instances (capacity.m.count); leave it out, or write `type = "ec2"`
    E0363 ECS itself chooses the image (capacity.m.ami); leave it out, or write `type = "ec2"`
    E0363 ECS itself sets its agent (capacity.m.agent); leave it out, or write `type = "ec2"`
    E0363 managed instances are all spot instances, or none is (capacity.m.spot); write "100%", or make a capacity of each
    "#);
    insta::assert_snapshot!(faults("[capacity.e]\ntype = \"ec2\"\ninstances = [\"t3.small\"]\nneed.vcpu = \"4\"\nstorage = \"90GB\""), @r#"
    E0363 only ECS chooses instances by what is needed (capacity.e.need); leave it out, or write `type = "managed"`
    E0363 the image says how large the disk is (capacity.e.storage); leave it out, or write `type = "managed"`
    "#);
    insta::assert_snapshot!(faults(&format!("{managed}[service.web]\nimage = \"i\"\ncapacity = \"m\"\nnetwork-mode = \"bridge\"\nplace.spread = [\"az\"]")), @r#"
    E0277 on instances that ECS manages a task has an address of its own, or the instance's (service.web.network-mode); leave `network-mode` out, or write "host"
    E0277 ECS itself chooses among the instances that it manages (service.web.place); leave `place` out, and say in `need` of the capacity what instances must be like
    "#);
    insta::assert_snapshot!(faults(&format!("{managed}[capacity.e]\ntype = \"ec2\"\ninstances = [\"t3.small\"]\n[service.web]\nimage = \"i\"\ncapacity = {{ m = {{}}, e = {{}} }}")), @"E0277 a service runs on instances that ECS manages, or on others (service.web.capacity); leave one of the capacities out");
    insta::assert_snapshot!(faults(&format!("{managed}[network]\nmode = \"public\"")), @r#"E0363 instances that ECS manages have no public address, and public subnets have no NAT (capacity.m.type); let tasks run in private subnets: `network.mode = "private"`"#);
    insta::assert_snapshot!(faults(&format!("{managed}[daemon.agent]\nimage = \"i\"")), @"E0276 there are no instances for the daemon `agent` (daemon.agent); declare a `[capacity.general]`");
}

/// All faults of a spec are told at once.
#[test]
fn faults_do_not_hide_each_other() {
    let text = faults(
        "[network]\ncidr = \"10.0.0.0/8\"\n[service.a]\n[service.b]\nimage = \"i\"\nsecrets = { K = \"\" }",
    );
    let codes: BTreeSet<&str> = text.lines().map(|line| &line[..5]).collect();
    assert_eq!(codes, BTreeSet::from(["E0260", "E0263", "E0267"]));
}

/// The loader knows whole numbers, and not how great one may be.
#[test]
fn a_number_that_is_too_great_is_refused_where_it_stands() {
    let document = json!({ "service": { "web": { "count": { "tasks": 99_999_999_999_u64 } } } });
    let mut unread = Unread::default();
    let (read, faults) = read(document, &mut unread);
    assert!(read.service.is_empty() && unread.may_name("service", "web"), "it is left out");
    insta::assert_snapshot!(line(&faults[0]), @"E0273 invalid value: integer `99999999999`, expected u32 (service.web.count.tasks); -");
}
