//! What a client needs to come in: the authority to trust, and the token.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use super::certificates::{Certificates, provider};
use super::{ServeError, files};

const TOKEN: &str = "token";
/// Bytes of chance in a token.
const CHANCE: usize = 32;

/// The certificates and the token of one sandbox.
#[derive(Clone)]
pub struct Credentials {
    /// What the server shows.
    pub certificates: Certificates,
    /// Who has it is `admin`.
    pub token: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Credentials {
    /// Those of `directory`, made when they are missing; keys and token with mode 0600.
    ///
    /// # Errors
    /// The directory or a file in it cannot be used.
    pub fn open(directory: &Path, now: Timestamp) -> Result<Self, ServeError> {
        files::make_directory(directory)?;
        let path = directory.join(TOKEN);
        let kept = files::read_secret(&path)?.map(|text| text.trim().to_owned());
        let token = match kept.filter(|token| is_token(token)) {
            Some(token) => token,
            None => {
                let token = make_token()?;
                files::write(&path, &token)?;
                token
            }
        };
        Ok(Self { certificates: Certificates::open(directory, now)?, token })
    }

    /// Some that nothing is kept of.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn fresh(now: Timestamp) -> Result<Self, ServeError> {
        Ok(Self { certificates: Certificates::fresh(now)?, token: make_token()? })
    }
}

/// Whether a text has the form of our tokens: a shorter one could be guessed.
fn is_token(text: &str) -> bool {
    URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() >= CHANCE)
}

fn make_token() -> Result<String, ServeError> {
    let mut bytes = [0; CHANCE];
    let filled = provider().secure_random.fill(&mut bytes);
    filled.map_err(|_| ServeError::Certificate("the system gives no random numbers".to_owned()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stays_unless_it_is_too_weak() {
        let directory = tempfile::tempdir().unwrap();
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let first = Credentials::open(directory.path(), now).unwrap().token;
        assert!(is_token(&first), "{first}");
        assert_eq!(Credentials::open(directory.path(), now).unwrap().token, first);
        std::fs::write(directory.path().join(TOKEN), "admin").unwrap();
        let other = Credentials::open(directory.path(), now).unwrap().token;
        assert!(is_token(&other) && other != first, "{other}");
    }
}
