//! Private keys and certificates as sprig makes them with Go's `x509`: the same fields, the same encodings.
//!
//! Keys, serial numbers and dates follow from the deployment's seed, so a certificate is the same at every rendering. It begins
//! when the seed was made, and ends as many days later as the chart says.

use std::net::IpAddr;
use std::rc::Rc;

use super::super::random::Stream;
use super::super::value::{Object, Value};
use super::Kind::{Certificate, Int, List, Text};
use super::arguments::{Answer, bytes, fixed, int, object, string, text};
use super::encodings::decode_base64;
use super::{Entry, Surroundings, entry};

mod der;
mod issue;
mod keys;
mod pem;
mod primality;
mod primes;

use issue::{Issuer, Request};
use keys::PrivateKey;

pub(super) const TABLE: &[Entry] = &[
    entry("genPrivateKey", &[Text], private_key).drawing(),
    entry("genCA", &[Text, Int], |around, given| authority(around, "genCA", given)).drawing(),
    entry("genCAWithKey", &[Text, Int, Text], |around, given| authority(around, "genCAWithKey", given))
        .drawing(),
    entry("genSelfSignedCert", &[Text, List, List, Int], |around, given| {
        self_signed(around, "genSelfSignedCert", given)
    })
    .drawing(),
    entry("genSelfSignedCertWithKey", &[Text, List, List, Int, Text], |around, given| {
        self_signed(around, "genSelfSignedCertWithKey", given)
    })
    .drawing(),
    entry("genSignedCert", &[Text, List, List, Int, Certificate], |around, given| {
        signed(around, "genSignedCert", given)
    })
    .drawing(),
    entry("genSignedCertWithKey", &[Text, List, List, Int, Certificate, Text], |around, given| {
        signed(around, "genSignedCertWithKey", given)
    })
    .drawing(),
    entry("buildCustomCert", &[Text, Text], build_custom).drawing(),
];

/// sprig's `certificate`: both parts as PEM.
struct Pair {
    certificate: Rc<str>,
    key: Rc<str>,
}

impl Pair {
    fn answer(certificate: &str, key: &str) -> Answer {
        Ok(Value::Object(Rc::new(Self { certificate: Rc::from(certificate), key: Rc::from(key) })))
    }
}

impl Object for Pair {
    fn type_name(&self) -> &'static str {
        Certificate.name()
    }

    fn field(&self, name: &str) -> Option<Result<Value, String>> {
        match name {
            "Cert" => Some(Ok(Value::Text(Rc::clone(&self.certificate)))),
            "Key" => Some(Ok(Value::Text(Rc::clone(&self.key)))),
            _ => None,
        }
    }

    fn call(&self, _: &str, _: &[Value]) -> Option<Result<Value, String>> {
        None
    }

    fn print(&self) -> String {
        format!("{{{} {}}}", self.certificate, self.key)
    }

    fn plain(&self) -> Option<Value> {
        let parts = [("Cert", &self.certificate), ("Key", &self.key)];
        Some(Value::dict(parts.map(|(name, part)| (name, Value::Text(Rc::clone(part))))))
    }
}

/// The random bytes for a call with these arguments: of an authority only that it is one counts.
fn stream(around: &Surroundings, function: &str, arguments: &[Value]) -> Result<Stream, String> {
    let mut parts: Vec<Vec<u8>> = Vec::new();
    for argument in arguments {
        match argument {
            Value::Text(_) | Value::Raw(_) => parts.push(bytes(argument)?.to_vec()),
            Value::Int(number) => parts.push(number.to_string().into_bytes()),
            Value::List(items) => {
                parts.push(items.len().to_string().into_bytes());
                for item in items.iter() {
                    parts.push(text_of_list(item, "").map(|text| text.into_bytes()).unwrap_or_default());
                }
            }
            _ => parts.push(Vec::new()),
        }
    }
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    Ok(around.draw.borrow_mut().stream(function, &parts))
}

fn private_key(around: &Surroundings, arguments: &[Value]) -> Answer {
    const FUNCTION: &str = "genPrivateKey";
    let [kind] = fixed(arguments)?;
    let kind = text(kind)?;
    let units = if matches!(&*kind, "" | "rsa" | "dsa") { 16 } else { 1 };
    around.draw.borrow_mut().count_costly(FUNCTION, units)?;
    let mut stream = stream(around, FUNCTION, arguments)?;
    string(match &*kind {
        "" | "rsa" => PrivateKey::new_rsa(&mut stream, 4096)?.to_pem(),
        "dsa" => PrivateKey::new_dsa(&mut stream).to_pem(),
        "ecdsa" => PrivateKey::new_ecdsa(&mut stream).to_pem(),
        "ed25519" => PrivateKey::Ed25519(stream.array()).to_pem(),
        other => format!("Unknown type {other}"),
    })
}

/// The key that is given as the last argument, or else a new one of RSA.
fn key_for(
    around: &Surroundings,
    function: &str,
    given: Option<&Value>,
    stream: &mut Stream,
) -> Result<PrivateKey, String> {
    match given {
        Some(pem) => PrivateKey::parse(&text(pem)?).map_err(|error| format!("parsing private key: {error}")),
        None => {
            around.draw.borrow_mut().count_costly(function, 1)?;
            PrivateKey::new_rsa(stream, 2048)
        }
    }
}

/// An item of a list of names or addresses, which must be a text.
fn text_of_list(item: &Value, problem: &str) -> Result<String, String> {
    match item {
        Value::Text(text) => Ok(text.as_ref().to_owned()),
        other => Err(format!("{problem}: {} is not a string", super::super::format::print(other)?)),
    }
}

/// The items of a list that may be nil.
fn items(value: &Value) -> Rc<Vec<Value>> {
    match &value.opened() {
        Value::List(items) => Rc::clone(items),
        _ => Rc::default(),
    }
}

fn request(
    around: &Surroundings,
    name: &Value,
    lists: Option<(&Value, &Value)>,
    days: &Value,
    stream: &mut Stream,
) -> Result<Request, String> {
    let (mut addresses, mut names) = (Vec::new(), Vec::new());
    if let Some((listed_addresses, listed_names)) = lists {
        for item in items(listed_addresses).iter() {
            let written = text_of_list(item, "error parsing ip")?;
            addresses.push(written.parse::<IpAddr>().map_err(|_| format!("error parsing ip: {written}"))?);
        }
        for item in items(listed_names).iter() {
            names.push(text_of_list(item, "error processing alternate dns name")?);
        }
    }
    let name = String::from_utf8(bytes(name)?.to_vec()).map_err(|_| "asn1: string not valid UTF-8")?;
    let born = around.draw.borrow().born;
    Ok(Request {
        name,
        addresses,
        names,
        born,
        days: int(days)?,
        is_authority: false,
        serial: stream.array(),
    })
}

fn authority(around: &Surroundings, function: &str, arguments: &[Value]) -> Answer {
    let [name, days, key @ ..] = arguments else { return Err("too few arguments".to_owned()) };
    let mut stream = stream(around, function, arguments)?;
    let mut request = request(around, name, None, days, &mut stream)?;
    request.is_authority = true;
    let key = key_for(around, function, key.first(), &mut stream)?;
    Pair::answer(&request.issue(&key, None)?, &key.to_pem())
}

fn self_signed(around: &Surroundings, function: &str, arguments: &[Value]) -> Answer {
    let [name, addresses, names, days, key @ ..] = arguments else {
        return Err("too few arguments".to_owned());
    };
    let mut stream = stream(around, function, arguments)?;
    let request = request(around, name, Some((addresses, names)), days, &mut stream)?;
    let key = key_for(around, function, key.first(), &mut stream)?;
    Pair::answer(&request.issue(&key, None)?, &key.to_pem())
}

fn signed(around: &Surroundings, function: &str, arguments: &[Value]) -> Answer {
    let [name, addresses, names, days, authority, key @ ..] = arguments else {
        return Err("too few arguments".to_owned());
    };
    let mut stream = stream(around, function, arguments)?;
    let request = request(around, name, Some((addresses, names)), days, &mut stream);
    let key = key_for(around, function, key.first(), &mut stream)?;
    let authority = object(authority, Certificate)?;
    let part = |field: &str| match authority.field(field) {
        Some(Ok(value)) => text(&value).map(String::from),
        _ => Ok(String::new()),
    };
    let certificate = pem::decode(&part("Cert")?).ok_or("unable to decode certificate")?;
    let issuer_key =
        PrivateKey::parse(&part("Key")?).map_err(|error| format!("error parsing private key: {error}"));
    let issuer = Issuer::parse(&certificate.contents)
        .ok_or("error parsing certificate: decodedSignerCert.Bytes: x509: malformed certificate")?;
    Pair::answer(&request?.issue(&key, Some((&issuer, &issuer_key?)))?, &key.to_pem())
}

/// A certificate and a key of which both are base64 of PEM.
fn build_custom(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [certificate, key] = fixed(arguments)?;
    let certificate =
        decode_base64(bytes(certificate)?).map_err(|_| "unable to decode base64 certificate".to_owned())?;
    let key = decode_base64(bytes(key)?).map_err(|_| "unable to decode base64 private key".to_owned())?;
    let (certificate, key) = (String::from_utf8_lossy(&certificate), String::from_utf8_lossy(&key));
    let block = pem::decode(&certificate).ok_or("unable to decode certificate")?;
    Issuer::parse(&block.contents)
        .ok_or("error parsing certificate: decodedCert.Bytes: x509: malformed certificate")?;
    PrivateKey::parse(&key).map_err(|error| format!("error parsing private key: {error}"))?;
    Pair::answer(&certificate, &key)
}

#[cfg(test)]
mod tests;
