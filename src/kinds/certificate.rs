//! `certificate`: a certificate of ACM, and the records in Route 53 that prove to ACM whose the names are.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_acm::types::{
    CertificateDetail, CertificateStatus, CertificateSummary, FailureReason, Filters, KeyAlgorithm,
    Tag, ValidationMethod,
};
use aws_sdk_route53::types::{ChangeAction, ResourceRecord, ResourceRecordSet, RrType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::types::forms;
use super::types::outputs::Arn as Outputs;
use super::{dns_record, mark};
use crate::cloud::aws::dns::{self, Place, plain};
use crate::cloud::aws::{Aws, concurrently, tags};
use crate::kind::{
    About, After, Check, Class, Condition, Cx, Error, Forgive as _, Kind, Made, Observed, Ready,
    Result, Sought, TagChange, Tags, Unfit,
};
use crate::value::Value;

/// A certificate that ACM issues and renews, once records in DNS prove that its names are ours.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Certificate {
    /// The names that it is for, in small letters; `*.example.com` is for all one step below.
    #[schemars(extend("x-replaces" = true, "examples" = [["shop.example.com"]]))]
    pub names: BTreeSet<String>,
    /// Where ecsctl keeps the records that prove whose the names are: in the public hosted zones of
    /// the account. Left out, somebody else makes them, and they are waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("enum" = ["route-53"]))]
    pub validated_by: Option<String>,
    /// The kind of its key; AWS's default is `RSA_2048`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("x-replaces" = true, "enum" = KEYS))]
    pub key_algorithm: Option<String>,
}

/// The keys that ACM makes and load balancers take.
const KEYS: [&str; 3] = ["RSA_2048", "EC_prime256v1", "EC_secp384r1"];
/// The word for ecsctl keeping the records.
const ROUTE_53: &str = "route-53";
/// The longest name that a certificate may be called by; further names may be longer (RequestCertificate).
const LONGEST: usize = 64;
/// Seconds for which others may remember a record, as AWS's console writes it.
const TTL: i64 = 300;
/// How long to wait between two looks: ACM asks for the records every few minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

impl Kind for Certificate {
    const NAME: &'static str = "certificate";
    const ABOUT: About = About {
        seconds: 120,
        // "DNS validation", ACM user guide: up to half an hour, and longer.
        deadline: Duration::from_secs(45 * 60),
        ..About::DEFAULT
    };

    type Outputs = Outputs;

    fn check(&self, check: &mut Check<'_>) {
        for name in &self.names {
            check.form("E0285", "names", name, forms::domain);
        }
        if self.names.is_empty() {
            check.error("E0285", "names", "a certificate needs a name");
        } else if self.names.iter().all(|name| name.len() > LONGEST) {
            let title = format!("one of a certificate's names has at most {LONGEST} characters");
            check.error("E0285", "names", title).alone = true;
        }
    }

    /// Found by their tags; and by their names, because the index of tags lags. There is no batch.
    async fn observe(aws: &Aws, sought: &Sought<'_>) -> Result<Vec<Observed<Self>>> {
        require_zones(aws, sought).await?;
        let owned = aws.owned(sought.stack).await?;
        let by_tag = owned.arns("acm", "certificate/").map(str::to_owned);
        let mut found: BTreeSet<String> = by_tag.collect();
        let wanted: Vec<BTreeSet<&str>> = sought.wanted.iter().map(|w| names_in(&w.spec)).collect();
        if !wanted.is_empty() {
            let listed = list(aws).await?;
            let listed = listed.iter().filter(|one| {
                let name = one.domain_name().unwrap_or_default();
                wanted.iter().any(|names| names.contains(name))
            });
            found.extend(listed.filter_map(|one| one.certificate_arn().map(str::to_owned)));
        }
        let found: Vec<String> = found.into_iter().collect();
        let looks = concurrently(&found, |arn| look(aws, sought, arn, owned.tags(arn))).await?;
        Ok(looks.into_iter().flatten().collect())
    }

    /// RequestCertificate with a token is made as often as it takes ACM to say, some seconds later, how
    /// the names are to be proved; it makes one certificate.
    async fn create(&self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        let first = self.first();
        let others: Vec<String> =
            self.names.iter().filter(|name| **name != first).cloned().collect();
        let call = cx.aws.acm.request_certificate().domain_name(first);
        let call =
            call.set_subject_alternative_names(Some(others).filter(|names| !names.is_empty()));
        let key = self.key_algorithm.as_deref().map(KeyAlgorithm::from);
        let made = call
            .validation_method(ValidationMethod::Dns)
            .set_key_algorithm(key)
            .idempotency_token(cx.token)
            .set_tags(Some(to_sdk(cx.tags)?))
            .send()
            .await?;
        let arn =
            made.certificate_arn().ok_or_else(|| Error::incomplete("the certificate's ARN"))?;
        self.validate(cx, arn).await?;
        Ok(Made::new(arn, Outputs::of(arn)))
    }

    async fn update(&self, _was: &Self, cx: &Cx<'_>) -> Result<Made<Outputs>> {
        self.validate(cx, cx.id).await?;
        Ok(Made::new(cx.id, Outputs::of(cx.id)))
    }

    /// The records go first: nobody would find them without the certificate.
    async fn delete(_was: &Self, cx: &Cx<'_>) -> Result<()> {
        let Some(detail) = describe(cx.aws, cx.id).await? else { return Ok(()) };
        if let [user, ..] = detail.in_use_by() {
            return Err(Error::new(Class::InUse, format!("it is in use by {user}")));
        }
        retract(cx, &detail).await?;
        let call = cx.aws.acm.delete_certificate().certificate_arn(cx.id);
        call.send().await.map_err(Error::from).absent_is_fine()
    }

    async fn tag(cx: &Cx<'_>, change: &TagChange) -> Result<()> {
        if !change.set.is_empty() {
            let call = cx.aws.acm.add_tags_to_certificate().certificate_arn(cx.id);
            call.set_tags(Some(to_sdk(&change.set)?)).send().await?;
        }
        if !change.unset.is_empty() {
            let key = |key: &String| Tag::builder().key(key).build().map_err(dns::unbuilt);
            let keys = change.unset.iter().map(key).collect::<Result<Vec<_>>>()?;
            let call = cx.aws.acm.remove_tags_from_certificate().certificate_arn(cx.id);
            call.set_tags(Some(keys)).send().await?;
        }
        Ok(())
    }

    async fn ready(cx: &Cx<'_>, after: After) -> Result<Ready> {
        if after == After::Delete {
            return Ok(Ready::Yes);
        }
        let absent = || Error::new(Class::Absent, "the certificate is gone");
        let detail = describe(cx.aws, cx.id).await?.ok_or_else(absent)?;
        match condition(&detail) {
            Condition::Ready => Ok(Ready::Yes),
            Condition::Settling(why) => Ok(Ready::NotYet { why, look_again: LOOK_AGAIN }),
            Condition::Broken(why)
            | Condition::Leaving(why)
            | Condition::Unfit(Unfit { why, .. }) => Err(failure(&detail, &why)),
        }
    }
}

impl Certificate {
    /// The name that it is called by.
    fn first(&self) -> String {
        let fits = self.names.iter().find(|name| name.len() <= LONGEST);
        fits.or(self.names.first()).cloned().unwrap_or_default()
    }

    /// Makes the records that ACM looks for, as far as they are not there.
    async fn validate(&self, cx: &Cx<'_>, arn: &str) -> Result<()> {
        if self.validated_by.as_deref() != Some(ROUTE_53) {
            return Ok(());
        }
        let detail = describe(cx.aws, arn).await?;
        let proofs = detail.as_ref().and_then(proofs).ok_or_else(|| {
            Error::new(Class::Eventual, "ACM has not said yet which records it looks for")
        })?;
        for (name, value) in proofs {
            prove(cx, &name, &value).await?;
        }
        Ok(())
    }
}

impl From<&CertificateDetail> for Certificate {
    fn from(detail: &CertificateDetail) -> Self {
        // DescribeCertificate writes `RSA-2048` where RequestCertificate wants `RSA_2048`.
        let key = detail.key_algorithm().map(|key| key.as_str().replace('-', "_"));
        Self { names: of_detail(detail).collect(), validated_by: None, key_algorithm: key }
    }
}

/// A record that is there already and says the same has come from ACM, for another certificate of the same
/// name in this account: it proves as much for this one, and is not ours to remove.
async fn prove(cx: &Cx<'_>, name: &str, value: &str) -> Result<()> {
    let zone = cx.aws.zones().await?.require(name)?;
    let place = Place::new(&zone.id, name, "CNAME");
    match dns::record(cx.aws, &place).await? {
        Some(there) if says(&there, value) => Ok(()),
        Some(_) => {
            let message = format!("the record `{name}` is there already, and says something else");
            let hint = "delete it, so that ACM can see whose the name is";
            Err(Error::new(Class::Exists, message).hinted(hint))
        }
        None => {
            let target = ResourceRecord::builder().value(value).build().map_err(dns::unbuilt)?;
            let set = ResourceRecordSet::builder().name(name).r#type(RrType::Cname).ttl(TTL);
            let set = set.resource_records(target).build().map_err(dns::unbuilt)?;
            let at = mark::place(cx.stack, zone, &place);
            let mark = mark::write(&at, &place, cx.tags)?;
            let changes = vec![(ChangeAction::Create, set), (ChangeAction::Upsert, mark)];
            dns::change(cx.aws, &zone.id, changes).await?;
            Ok(())
        }
    }
}

/// Takes away the records that ecsctl has made, but for those that prove something for another certificate
/// as well: ACM looks for them again at each renewal.
async fn retract(cx: &Cx<'_>, detail: &CertificateDetail) -> Result<()> {
    let (kept, zones) = (names_of_others(cx).await?, cx.aws.zones().await?);
    for option in detail.domain_validation_options() {
        let record =
            option.resource_record().filter(|_| !kept.contains(bare(option.domain_name())));
        let Some(name) = record.map(|record| plain(record.name())) else { continue };
        let Some(zone) = zones.of(&name) else { continue };
        let place = Place::new(&zone.id, &name, "CNAME");
        let own = mark::own(cx.aws, cx.stack, zone, Certificate::NAME).await?;
        if own.contains_key(&place) {
            dns_record::remove(cx, zone, &place).await?;
        }
    }
    Ok(())
}

/// What the other certificates of account and region are for, wildcards without their `*.`.
async fn names_of_others(cx: &Cx<'_>) -> Result<BTreeSet<String>> {
    let others = list(cx.aws).await?;
    let others = others.iter().filter(|one| one.certificate_arn() != Some(cx.id));
    let names = others.flat_map(|one| {
        let further = one.subject_alternative_name_summaries().iter().map(String::as_str);
        further.chain(one.domain_name())
    });
    Ok(names.map(|name| bare(name).to_owned()).collect())
}

/// One certificate; none if it is gone, or not the stack's. ACM is asked for the tags that the index of tags
/// does not have.
async fn look(
    aws: &Aws,
    sought: &Sought<'_>,
    arn: &str,
    tags: Option<&Tags>,
) -> Result<Option<Observed<Certificate>>> {
    let tags = match tags {
        Some(tags) => tags.clone(),
        None => read_tags(aws, arn).await?,
    };
    if !sought.is_ours(&tags) {
        return Ok(None);
    }
    let Some(detail) = describe(aws, arn).await? else { return Ok(None) };
    let mut live = Certificate::from(&detail);
    if is_proved(aws, &detail).await? {
        live.validated_by = Some(ROUTE_53.to_owned());
    }
    Ok(Some(Observed {
        earlier: Vec::new(),
        id: arn.to_owned(),
        live,
        outputs: Outputs::of(arn),
        tags,
        condition: condition(&detail),
    }))
}

/// Whether all records that ACM looks for are in the account's zones.
async fn is_proved(aws: &Aws, detail: &CertificateDetail) -> Result<bool> {
    let Some(proofs) = proofs(detail) else { return Ok(false) };
    let zones = aws.zones().await?;
    let proofs: Vec<(String, String)> = proofs.into_iter().collect();
    let found = concurrently(&proofs, |(name, value)| async move {
        let Some(zone) = zones.of(name) else { return Ok(false) };
        let there = dns::record(aws, &Place::new(&zone.id, name, "CNAME")).await?;
        Ok(there.is_some_and(|there| says(&there, value)))
    });
    Ok(found.await?.into_iter().all(|is_there| is_there))
}

fn says(set: &ResourceRecordSet, value: &str) -> bool {
    set.resource_records().iter().any(|record| plain(record.value()) == value)
}

/// The records that ACM looks for, names and values; none as long as it has not said them all. A name and
/// the wildcard below it have the same.
fn proofs(detail: &CertificateDetail) -> Option<BTreeMap<String, String>> {
    let options = detail.domain_validation_options().iter();
    let records = options.map(|option| {
        let record = option.resource_record()?;
        Some((plain(record.name()), plain(record.value())))
    });
    let proofs: BTreeMap<String, String> = records.collect::<Option<_>>()?;
    (!proofs.is_empty()).then_some(proofs)
}

/// That each name that is to be proved has a zone is known before anything is made.
async fn require_zones(aws: &Aws, sought: &Sought<'_>) -> Result<()> {
    for want in sought.wanted.iter().filter(|w| w.spec.text("validated-by") == Some(ROUTE_53)) {
        for name in names_in(&want.spec) {
            aws.zones().await?.require(name)?;
        }
    }
    Ok(())
}

fn names_in(spec: &Value) -> BTreeSet<&str> {
    spec.get("names").map(Value::texts).unwrap_or_default().into_iter().collect()
}

/// The names of a certificate; none if it is gone.
pub(super) async fn names(aws: &Aws, arn: &str) -> Result<Vec<String>> {
    let detail = describe(aws, arn).await?;
    Ok(detail.iter().flat_map(of_detail).collect())
}

fn of_detail(detail: &CertificateDetail) -> impl Iterator<Item = String> {
    let others = detail.subject_alternative_names().iter().map(String::as_str);
    others.chain(detail.domain_name()).map(str::to_ascii_lowercase)
}

/// A name without the `*.` of a wildcard.
fn bare(name: &str) -> &str {
    name.strip_prefix("*.").unwrap_or(name)
}

/// Why it is not issued yet, or never will be.
fn condition(detail: &CertificateDetail) -> Condition {
    match detail.status() {
        Some(CertificateStatus::Issued) => Condition::Ready,
        Some(CertificateStatus::PendingValidation) | None => {
            let wait = |name| format!("ACM does not see `{name}` yet");
            let name = proofs(detail).and_then(|proofs| proofs.into_keys().next());
            Condition::Settling(name.map_or_else(|| "requested".to_owned(), wait))
        }
        Some(CertificateStatus::ValidationTimedOut) => {
            Condition::Broken("ACM has not seen the records within 72 hours".to_owned())
        }
        Some(status) => {
            let reason = detail.failure_reason().map(|it| format!(" ({})", it.as_str()));
            let status = status.as_str().to_lowercase();
            Condition::Broken(format!("the certificate is {status}{}", reason.unwrap_or_default()))
        }
    }
}

/// "Troubleshoot certificate requests", ACM user guide.
fn failure(detail: &CertificateDetail, why: &str) -> Error {
    let error = Error::new(Class::Other, why);
    match detail.failure_reason() {
        Some(FailureReason::CaaError) => {
            error.hinted("let a CAA record of the domain name `amazon.com`, or remove those it has")
        }
        Some(FailureReason::AdditionalVerificationRequired | FailureReason::DomainNotAllowed) => {
            error.hinted("ask AWS Support: it does not issue for this name by itself")
        }
        _ => error.hinted("apply again, which requests another"),
    }
}

/// DescribeCertificate; none if it is gone.
async fn describe(aws: &Aws, arn: &str) -> Result<Option<CertificateDetail>> {
    match aws.acm.describe_certificate().certificate_arn(arn).send().await.map_err(Error::from) {
        Ok(found) => Ok(found.certificate),
        Err(error) if error.class == Class::Absent => Ok(None),
        Err(error) => Err(error),
    }
}

/// ListCertificates, which leaves out all but RSA keys unless it is told which.
async fn list(aws: &Aws) -> Result<Vec<CertificateSummary>> {
    let keys = KeyAlgorithm::values().iter().map(|key| KeyAlgorithm::from(*key)).collect();
    let all = Filters::builder().set_key_types(Some(keys)).build();
    let call = aws.acm.list_certificates().includes(all).into_paginator().page_size(1000);
    Ok(call.items().send().try_collect().await?)
}

/// ListTagsForCertificate; none if it is gone.
async fn read_tags(aws: &Aws, arn: &str) -> Result<Tags> {
    let found = aws.acm.list_tags_for_certificate().certificate_arn(arn).send().await;
    let found = match found.map_err(Error::from) {
        Err(error) if error.class == Class::Absent => return Ok(Tags::new()),
        found => found?,
    };
    let pairs = found.tags().iter().map(|tag| (tag.key(), tag.value().unwrap_or_default()));
    Ok(tags::collect(pairs))
}

fn to_sdk(tags: &Tags) -> Result<Vec<Tag>> {
    let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.iter().map(tag).collect::<Result<_, _>>().map_err(dns::unbuilt)
}

#[cfg(test)]
mod tests {
    use aws_sdk_acm::types::{DomainValidation, RecordType, ResourceRecord as Proof};
    use serde_json::json;

    use super::*;
    use crate::kinds::checked::{flaws, reads_back};

    fn detail(status: CertificateStatus) -> CertificateDetail {
        let option = |domain: &str| {
            let proof = Proof::builder()
                .name("_a1.shop.example.com.")
                .r#type(RecordType::Cname)
                .value("_b2.acm-validations.aws.");
            let option = DomainValidation::builder().domain_name(domain);
            option.resource_record(proof.build().unwrap()).build().unwrap()
        };
        CertificateDetail::builder()
            .domain_name("shop.example.com")
            .set_subject_alternative_names(Some(
                ["*.shop.example.com", "shop.example.com"].map(str::to_owned).to_vec(),
            ))
            .domain_validation_options(option("shop.example.com"))
            .domain_validation_options(option("*.shop.example.com"))
            .key_algorithm(KeyAlgorithm::from("RSA-2048"))
            .status(status)
            .build()
    }

    #[test]
    fn declarations_read_back() {
        reads_back::<Certificate>(json!({ "names": ["shop.example.com"] }));
        reads_back::<Certificate>(json!({
            "names": ["a.example.com", "*.b.example.com"], "validated-by": "route-53",
            "key-algorithm": "EC_prime256v1",
        }));
    }

    #[test]
    fn a_description_is_a_declaration() {
        let detail = detail(CertificateStatus::Issued);
        let live = serde_json::to_string(&Certificate::from(&detail)).unwrap();
        insta::assert_snapshot!(live, @r#"{"names":["*.shop.example.com","shop.example.com"],"key-algorithm":"RSA_2048"}"#);
        let proofs = proofs(&detail).unwrap();
        let same = BTreeMap::from([(
            "_a1.shop.example.com".to_owned(),
            "_b2.acm-validations.aws".to_owned(),
        )]);
        assert_eq!(proofs, same);
    }

    #[test]
    fn states_are_conditions() {
        let of = |status| condition(&detail(status));
        assert_eq!(of(CertificateStatus::Issued), Condition::Ready);
        let why = "ACM does not see `_a1.shop.example.com` yet".to_owned();
        assert_eq!(of(CertificateStatus::PendingValidation), Condition::Settling(why));
        let requested = CertificateDetail::builder().build();
        assert_eq!(condition(&requested), Condition::Settling("requested".to_owned()));
        for lost in ["FAILED", "EXPIRED", "REVOKED", "VALIDATION_TIMED_OUT", "INACTIVE"] {
            assert!(matches!(of(lost.into()), Condition::Broken(_)), "{lost}");
        }
    }

    #[test]
    fn what_aws_would_refuse_is_said_offline() {
        let told = |names: &[&str]| flaws::<Certificate>(json!({ "names": names }));
        insta::assert_snapshot!(told(&[]), @"E0285 names: a certificate needs a name");
        insta::assert_snapshot!(told(&["localhost", "${a.b.c}.example.com"]), @"E0285 names: `localhost` is no domain: small letters, digits and hyphens between dots");
        let long = format!("{}.{}.com", "a".repeat(60), "b".repeat(10));
        insta::assert_snapshot!(told(&[&long]), @"E0285 names: one of a certificate's names has at most 64 characters");
        assert_eq!(told(&[&long, "*.example.com"]), "");
    }
}
