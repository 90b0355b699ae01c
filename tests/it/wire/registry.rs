//! `ecsctl ecr`: docker gets its password, and nobody else hears of it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value as Json;

use crate::harness::Session;

/// The password is on stdout and nowhere else, however much is logged.
#[test]
fn the_password_is_on_stdout_alone() {
    let session = Session::new();
    let registry = session.run(&["ecr", "registry"]).exits(0);
    let expected = format!("{}.dkr.ecr.us-east-1.amazonaws.com\n", session.account);
    assert_eq!((registry.stdout.as_str(), registry.stderr.as_str()), (expected.as_str(), ""));
    let login = session.run(&["ecr", "login", "--log", "trace"]).exits(0);
    let password = login.stdout.trim();
    assert!(!password.is_empty() && !password.contains(['\n', ':']), "{login:?}");
    assert!(login.stderr.contains("GetAuthorizationToken"), "nothing is logged");
    let token = aws_smithy_types::base64::encode(format!("AWS:{password}"));
    assert!(!login.stderr.contains(password) && !login.stderr.contains(&token), "{login:?}");
    assert_eq!(fs_err::read_dir(&session.folder).expect("the folder").count(), 0);
}

#[test]
fn the_login_is_written_for_its_owner_only() {
    let session = Session::new();
    fs_err::create_dir_all(session.folder.join(".docker")).expect("a folder");
    let before = r#"{"auths": {"ghcr.io": {"auth": "eA=="}}, "psFormat": "table"}"#;
    session.write(".docker/config.json", before);
    let said = session.run(&["ecr", "login", "--write"]).exits(0).says("wrote the login of");
    assert_eq!(said.stdout, "");
    let file = session.folder.join(".docker/config.json");
    let mode = fs_err::metadata(&file).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = fs_err::read_to_string(&file).expect("the file");
    let document: Json = serde_json::from_str(&text).expect("JSON");
    assert_eq!(document["psFormat"], "table");
    assert_eq!(document["auths"]["ghcr.io"]["auth"], "eA==");
    let registry = format!("{}.dkr.ecr.us-east-1.amazonaws.com", session.account);
    let token = document["auths"][&registry]["auth"].as_str().expect("a login").to_owned();
    assert!(!said.stderr.contains(&token));

    let helper = r#"{"credsStore": "desktop"}"#;
    session.write(".docker/config.json", helper);
    session
        .run(&["ecr", "login", "--write"])
        .exits(1)
        .says("E0318")
        .says("docker-credential-desktop");
    assert_eq!(fs_err::read_to_string(&file).expect("the file"), helper);
}
