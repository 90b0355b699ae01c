//! The ground the other wire tests stand on: accounts of the test AWS are apart, and what is there is
//! told.

use crate::harness::Session;

#[test]
fn accounts_are_apart_and_their_objects_and_calls_are_told() {
    let (one, other) = (Session::new(), Session::new());
    let arn = one.behind_its_back(async |aws| {
        let made = aws.ecs.create_cluster().cluster_name("mine").send().await.expect("a cluster");
        made.cluster().and_then(|cluster| cluster.cluster_arn()).expect("an ARN").to_owned()
    });
    assert!(arn.contains(&one.account), "{arn}");
    let objects = one.objects();
    assert_eq!(objects.len(), 1, "{objects:?}");
    assert_eq!((objects[0].kind.as_str(), objects[0].arn.as_str()), ("cluster", arn.as_str()));
    assert_eq!(one.calls().changes(), ["CreateCluster"]);
    assert!(other.objects().is_empty());
    assert_eq!(other.calls().len(), 0);
}
