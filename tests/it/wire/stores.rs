//! The kinds that keep things: log groups and repositories.

use super::life::Life;

#[test]
fn log_group() {
    let life = Life::begin("\n[aws.log-group.web]\nretention-in-days = 14\n");
    let group = "log-group.web";
    life.changes(group, &[("14", "30")], &["PutRetentionPolicy"]);
    life.changes(group, &[("30", "0")], &["DeleteRetentionPolicy"]);
    life.changes(group, &[("days = 0", "days = 7")], &["PutRetentionPolicy"]);
    let name = life.object(group).id;
    life.drifts("update log-group.web", async |aws| {
        let call = aws.logs.put_retention_policy().log_group_name(&name).retention_in_days(365);
        call.send().await.expect("a change");
    });
    life.replaces(
        group,
        &[("retention", "name = \"/elsewhere\"\nretention")],
        &["CreateLogGroup", "DeleteLogGroup"],
    );
    life.ends();
}

#[test]
fn repository() {
    let life = Life::begin("\n[aws.repository.web]\nscan-on-push = true\n");
    let repository = "repository.web";
    // Nobody asks what expires where nothing is said about it.
    life.session.forget_calls();
    life.nothing_is_left();
    assert_eq!(life.session.calls().count("GetLifecyclePolicy"), 0);
    life.changes(
        repository,
        &[(
            "scan-on-push = true",
            "scan-on-push = false\nimage-tag-mutability = \"IMMUTABLE\"\nlifecycle-policy = { rules = [{ \
             rulePriority = 1, selection = { tagStatus = \"any\", countType = \"imageCountMoreThan\", \
             countNumber = 30 }, action = { type = \"expire\" } }] }",
        )],
        &["PutImageScanningConfiguration", "PutImageTagMutability", "PutLifecyclePolicy"],
    );
    let name = life.object(repository).id;
    life.drifts("update repository.web", async |aws| {
        let call = aws.ecr.delete_lifecycle_policy().repository_name(&name);
        call.send().await.expect("a change");
    });
    life.replaces(
        repository,
        &[("scan-on-push", "name = \"else/where\"\nscan-on-push")],
        &["CreateRepository", "DeleteRepository"],
    );
    // B29: a repository goes with its images.
    life.session.behind_its_back(async |aws| {
        let manifest = r#"{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": []}"#;
        let call = aws.ecr.put_image().repository_name("else/where").image_tag("v1");
        call.image_manifest(manifest).send().await.expect("an image");
    });
    life.nothing_is_left();
    life.ends();
}

/// Tags are part of what is compared, on every kind that has them.
#[test]
fn tags_are_set_changed_and_mended() {
    let life = Life::begin(
        "\n[aws.log-group.web]\n\n[aws.repository.web]\n\n[aws.cluster.main]\n\n[aws.elastic-ip.one]\n",
    );
    let objects = ["log-group.web", "repository.web", "cluster.main", "elastic-ip.one"];
    life.edit(&[("[aws.log-group.web]", "[tags]\nteam = \"games\"\n\n[aws.log-group.web]")]);
    assert_eq!(life.planned().len(), objects.len());
    life.apply();
    life.nothing_is_left();
    for address in objects {
        assert_eq!(life.object(address).tags["team"], "games", "{address}");
        assert_eq!(life.object(address).tags["ecsctl:stack"], "life", "{address}");
    }
    let arn = life.object("log-group.web").arn;
    life.drifts("update log-group.web", async |aws| {
        let arn = arn.trim_end_matches(":*");
        let call = aws.logs.untag_resource().resource_arn(arn).tag_keys("team");
        call.send().await.expect("a change");
    });
    life.edit(&[("team = \"games\"", "")]);
    life.apply();
    life.nothing_is_left();
    assert!(!life.object("cluster.main").tags.contains_key("team"));
    life.ends();
}
