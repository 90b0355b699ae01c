//! Compose files become specs that are sound, and say what they leave out.

use insta::assert_snapshot;

use super::compose;
use crate::import::tests::{about, sound};

const SHOP: &str = r#"
name: shop
x-common: &common
  restart: unless-stopped
  environment: &environment
    STAGE: ${STAGE:-prod}
    COST: 5$$
services:
  web:
    <<: *common
    image: acme/web:${TAG:?set a tag}
    ports: ["8080:3000", "9229:9229"]
    depends_on: { api: { condition: service_healthy } }
    deploy:
      replicas: 2
      resources: { limits: { cpus: "0.5", memory: 600M }, reservations: { memory: 100M } }
      update_config: { order: start-first }
  api:
    build: ./api
    environment:
      <<: *environment
      DATABASE_URL: postgres://db/shop
      TOKEN:
    command: bin/serve --name "the shop"
    ports: ["80"]
    depends_on:
      migrate: { condition: service_completed_successfully }
      db: { condition: service_started }
    healthcheck:
      test: ["CMD", "curl", "-f", "http://localhost/healthz"]
      interval: 1m30s
      timeout: 1s
      retries: 5
    secrets: [token]
  migrate:
    build: ./api
    command: ["bin/migrate", "up"]
  db:
    image: postgres:16
    ports: ["5432:5432"]
    volumes: ["data:/var/lib/postgresql/data", "./init:/docker-entrypoint-initdb.d:ro"]
    tty: true
  proxy:
    image: envoyproxy/envoy:v1.31
    network_mode: "service:web"
    expose: ["9901"]
volumes: { data: {} }
secrets: { token: { file: ./token.txt } }
"#;

/// What shares a task with others connects as they do, and mounts only what is its own.
#[test]
fn who_shares_a_task() {
    let text = r#"
services:
  web: { image: "a:1", ports: ["80"], depends_on: [db], volumes: ["data:/data"] }
  db:  { image: "postgres:17", ports: ["5432:5432"] }
  my_worker: { image: "b:1", network_mode: "service:web", links: ["db:base"] }
"#;
    let imported = sound(compose(text, &about("compose.yaml")));
    assert!(imported.contains("from   = [\"web\"]"), "{imported}");
    assert!(imported.contains("containers = [\"web\"]"), "{imported}");
}

#[test]
fn what_cannot_be_services() {
    let why = |text: &str| compose(text, &about("compose.yaml")).unwrap_err().title;
    assert_snapshot!(why("services: { a: [1] }"), @"`compose.yaml` is not a compose file: `services.a` is no table");
    assert_snapshot!(why("services: { a: { image: x }, A: { image: y } }"), @"`compose.yaml` is not a compose file: the services `A` and `a` cannot both be `a` here");
}

#[test]
fn a_compose_file() {
    assert_snapshot!(sound(compose(SHOP, &about("compose.yaml"))), @r#"
    # Made of compose.yaml by `ecsctl import it`.
    ecsctl = 1
    stack  = "shop"
    region = "eu-west-1"

    [vars]
    stage = { default = "prod", from-env = "STAGE" }
    tag   = { from-env = "TAG" }
    token = { default = "", from-env = "TOKEN" }

    [repo.api]
    immutable = false

    [service.api]
    # not taken over: services.api.build = "./api": build it and push it to the repository `api` before `apply`
    # not taken over: services.api.healthcheck.timeout = "1s": ECS takes 2 to 60 seconds
    # not taken over: services.api.secrets = ["token"]: put it into SSM or Secrets Manager, and write `secrets = { NAME = "ssm:/…" }`
    after   = { db = "ready", migrate = "success" }
    command = ["bin/serve", "--name", "the shop"]
    http    = { health = "/healthz", path = "/*" }
    image   = "${repo.api}:latest"
    port    = 80
    [service.api.container.migrate]
    # not taken over: services.migrate.build = "./api": build it and push it to the repository `api` before `apply`
    command   = ["bin/migrate", "up"]
    essential = false
    image     = "${repo.api}:latest"
    [service.api.env]
    COST         = "5$"
    DATABASE_URL = "postgres://db/shop"
    STAGE        = "${var.stage}"
    TOKEN        = "${var.token}"
    [service.api.health]
    command   = "curl -f http://localhost/healthz"
    interval  = "90s"
    timeout   = "2s"
    unhealthy = 5

    [service.db]
    # not taken over: services.db.volumes.0 = "data:/var/lib/postgresql/data": only as scratch space: it is empty when its task starts, and goes with it
    # not taken over: services.db.volumes.1 = "./init:/docker-entrypoint-initdb.d:ro": Fargate has no host whose paths could be mounted
    # not taken over: services.db.ports = "5432": only other services reach it: what a load balancer leads to speaks HTTP
    # not taken over: services.db.tty = true: it can be said in [aws.task-definition.NAME.containers.NAME]
    from   = ["api"]
    image  = "postgres:16"
    port   = 5432
    public = false
    [service.db.volume]
    data = { mount = "/var/lib/postgresql/data" }

    [alb.main]

    [alb.web]

    [service.web]
    # not taken over: services.web.deploy.update_config = {"order":"start-first"}: see `deploy`: a rollout that fails is rolled back
    # not taken over: services.web.ports.1 = "9229:9229": a container listens on one port of each protocol here; others stand in [aws.task-definition.NAME.containers.NAME]
    # not taken over: services.web.ports = "8080": the load balancer listens on 80, or with a certificate on 443
    after = ["api"]
    count = 2
    env   = { COST = "5$", STAGE = "${var.stage}" }
    http  = { alb = "web", path = "/*" }
    image = "acme/web:${var.tag}"
    port  = 3000
    size  = "0.5vcpu/1GB"
    [service.web.container]
    proxy = { essential = false, image = "envoyproxy/envoy:v1.31", port = 9901 }

    # not taken over: secrets = {"token":{"file":"./token.txt"}}: put it into SSM or Secrets Manager, and write `secrets = { NAME = "ssm:/…" }`
    "#);
}

/// Values that YAML and a spec spell differently, and keys in their shorter forms.
#[test]
fn a_compose_file_of_another_hand() {
    let text = r#"
version: "3"
services:
  Resolver_1:
    image: coredns/coredns:1.11
    platform: linux/arm64/v8
    ports: [{ target: 53, published: "53", protocol: udp }, "53:53"]
    environment: ["DEBUG=yes", "PORT=0x35", "EMPTY=", "FROM_SHELL"]
    volumes: [{ type: volume, source: zones, target: /zones, read_only: true }, "/cache"]
    stop_grace_period: 5m
    init: false
    read_only: true
    working_dir: /srv
    user: "1000"
    cpus: 0.1
    mem_limit: 64m
"#;
    assert_snapshot!(sound(compose(text, &about("docker-compose.yml"))), @r#"
    # Made of docker-compose.yml by `ecsctl import it`.
    ecsctl = 1
    stack  = "shop-2"
    region = "eu-west-1"

    [vars]
    from-shell = { default = "", from-env = "FROM_SHELL" }

    [service.resolver-1]
    # not taken over: services.Resolver_1.stop_grace_period = "5m": Fargate waits 2 minutes at most
    # not taken over: services.Resolver_1.volumes.0 = {"read_only":true,"source":"zones","target":"/zones","type":"volume"}: only as scratch space: it is empty when its task starts, and goes with it
    # not taken over: services.Resolver_1.volumes.1 = "/cache": only as scratch space: it is empty when its task starts, and goes with it
    # not taken over: services.Resolver_1.ports.1 = "53:53": ECS maps a port of a container for one protocol only
    # not taken over: services.Resolver_1.ports = "53": only other services reach it: what a load balancer leads to speaks HTTP
    arch         = "arm64"
    directory    = "/srv"
    env          = { DEBUG = "yes", EMPTY = "", FROM_SHELL = "${var.from-shell}", PORT = "0x35" }
    image        = "coredns/coredns:1.11"
    init         = false
    public       = false
    readonly     = true
    size         = "0.25vcpu/512MB"
    stop-timeout = "120s"
    udp          = 53
    user         = "1000"
    [service.resolver-1.volume]
    cache = { mount = "/cache" }
    [service.resolver-1.volume.zones]
    mount    = "/zones"
    readonly = ["resolver-1"]
    "#);
}
