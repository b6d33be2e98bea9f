//! Tokens: a challenge and what a person knows become an `Authorization`.

use super::super::http::{Call, Client, HttpError, basic};
use super::super::login::Known;
use super::super::url::{Url, encode_query};
use super::challenge::Challenge;

/// The largest answer, in bytes.
const ANSWER_LIMIT: usize = 64 << 10;

/// How the program calls itself to those that give tokens.
const CLIENT: &str = "styrmin";

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum TokenError {
    /// A person must log in first.
    #[error("the registry wants a login")]
    NoLogin,
    /// The token's place cannot be asked.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It is asked for in a way, or answered with something, that makes no sense.
    #[error("{0}")]
    Broken(String),
}

/// What a request to `registry` is to have as its `Authorization`.
pub(super) async fn authorization(
    client: &Client,
    registry: &Url,
    repository: &str,
    challenge: &Challenge,
    known: Option<&Known>,
) -> Result<String, TokenError> {
    let (realm, service, scope) = match challenge {
        Challenge::Basic => {
            let Some(Known::Password(login)) = known else { return Err(TokenError::NoLogin) };
            return Ok(basic(login));
        }
        Challenge::Bearer { realm, service, scope } => (realm, service, scope),
    };
    let broken = |why: String| TokenError::Broken(format!("the registry names a place for tokens: {why}"));
    let mut url = registry.join(realm).map_err(broken)?;
    if registry.tls && !url.tls {
        return Err(broken(format!("{url} is not encrypted")));
    }
    // what the registry's URL has is not the token's
    url.login = None;
    let scope = scope.clone().unwrap_or_else(|| format!("repository:{repository}:pull"));
    let mut fields = vec![("scope", scope)];
    fields.extend(service.clone().map(|service| ("service", service)));
    let mut call = Call::get(url, ANSWER_LIMIT);
    if let Some(Known::Identity(token)) = known {
        fields.extend([
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", CLIENT.to_owned()),
            ("refresh_token", token.clone()),
        ]);
        call.form = Some(form(&fields));
    } else {
        let query = form(&fields);
        let before = call.url.query.take().map(|query| query + "&").unwrap_or_default();
        call.url.query = Some(before + &query);
        if let Some(Known::Password(login)) = known {
            call.authorization = Some(basic(login));
        }
    }
    let answer = client.send(call).await?.success()?;
    let json: serde_json::Value = serde_json::from_slice(&answer.body)
        .map_err(|_| TokenError::Broken(format!("{} answers with no JSON", answer.url)))?;
    let token = ["token", "access_token"].iter().find_map(|name| json.get(name)?.as_str());
    match token.filter(|token| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())) {
        Some(token) => Ok(format!("Bearer {token}")),
        None => Err(TokenError::Broken(format!("{} answers without a token", answer.url))),
    }
}

fn form(fields: &[(&str, String)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encode_query(value)));
    pairs.collect::<Vec<_>>().join("&")
}
