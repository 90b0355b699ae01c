//! The kind `role`.

use super::life::Life;

const ROLE: &str = r#"
[aws.role.task]
description = "one"
policies = ["arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"]
trust = { Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }] }
inline.work = { Statement = [{ Effect = "Allow", Action = "sqs:SendMessage", Resource = "*" }] }
"#;

#[test]
fn role() {
    let life = Life::begin(ROLE);
    let role = "role.task";
    assert!(
        life.object(role).arn.contains(":role/ecsctl/life/default/"),
        "{:?}",
        life.object(role)
    );
    life.changes(role, &[("\"one\"", "\"two\"\nmax-session-duration = 7200")], &["UpdateRole"]);
    life.changes(role, &[("sqs:SendMessage", "sqs:*")], &["PutRolePolicy"]);
    life.changes(role, &[("inline.work", "inline.play")], &["DeleteRolePolicy", "PutRolePolicy"]);
    life.changes(
        role,
        &[("service-role/AmazonECSTaskExecutionRolePolicy", "AWSXrayWriteOnlyAccess")],
        &["AttachRolePolicy", "DetachRolePolicy"],
    );
    life.changes(
        role,
        &[(
            "Service = \"ecs-tasks.amazonaws.com\"",
            "Service = [\"ecs-tasks.amazonaws.com\", \"ec2.amazonaws.com\"]",
        )],
        &["UpdateAssumeRolePolicy"],
    );
    life.changes(
        role,
        &[("max-session-duration = 7200", "max-session-duration = 7200\npermissions-boundary = \"arn:aws:iam::aws:policy/PowerUserAccess\"")],
        &["PutRolePermissionsBoundary"],
    );
    let name = life.object(role).id;
    life.drifts("update role.task", async |aws| {
        let call = aws.iam.attach_role_policy().role_name(&name);
        call.policy_arn("arn:aws:iam::aws:policy/AdministratorAccess")
            .send()
            .await
            .expect("a change");
    });
    life.drifts("update role.task", async |aws| {
        let call = aws.iam.delete_role_policy().role_name(&name).policy_name("play");
        call.send().await.expect("a change");
    });
    life.replaces(
        role,
        &[("\"two\"", "\"two\"\npath = \"/ecsctl/life/default/special/\"")],
        &["CreateRole", "DeleteRole"],
    );
    life.ends();
}
