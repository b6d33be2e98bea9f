//! Reading certificates from Secrets. The key lies beside the certificate: it is wiped before anything else is done.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use zeroize::Zeroize;

use crate::domain::ObjectKey;

use super::Cluster;
use super::error::ClusterError;

/// The entry of a Secret of type `kubernetes.io/tls` with the certificate.
const CERTIFICATE: &str = "tls.crt";

impl Cluster {
    /// The certificate in a Secret, with its chain, as it lies there (PEM): none when the Secret does not exist, nothing when it has
    /// no certificate. What else is in the Secret is not looked at, and wiped.
    ///
    /// # Errors
    /// The server does not answer, or denies it.
    pub async fn certificate_in(
        &self,
        namespace: &str,
        secret: &str,
    ) -> Result<Option<Vec<u8>>, ClusterError> {
        let key = ObjectKey {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: namespace.to_owned(),
            name: secret.to_owned(),
        };
        let Some(mut found) = self.get(&key).await? else { return Ok(None) };
        Ok(Some(take_certificate(&mut found)))
    }
}

/// Takes the certificate out, and wipes every value.
fn take_certificate(secret: &mut Value) -> Vec<u8> {
    let mut certificate = Vec::new();
    // what was applied by kubectl stands in an annotation too
    if let Some(annotations) = secret.pointer_mut("/metadata/annotations") {
        wipe(annotations);
    }
    let Some(data) = secret.get_mut("data").and_then(Value::as_object_mut) else { return certificate };
    for (name, value) in data {
        if name == CERTIFICATE {
            certificate = BASE64_STANDARD.decode(value.as_str().unwrap_or_default()).unwrap_or_default();
        }
        wipe(value);
    }
    certificate
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::take_certificate;

    #[test]
    fn nothing_but_the_certificate_is_taken() {
        let mut secret = json!({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "c2VjcmV0"}},
            "data": {"tls.crt": "UEVN", "tls.key": "c2VjcmV0"}});
        assert_eq!(take_certificate(&mut secret), b"PEM");
        assert!(!secret.to_string().contains("c2VjcmV0"), "the key is wiped: {secret}");
        assert_eq!(take_certificate(&mut json!({"data": {"tls.crt": "%"}})), b"");
        assert_eq!(take_certificate(&mut json!({})), b"");
    }
}
