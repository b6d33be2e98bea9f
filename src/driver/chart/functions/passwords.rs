//! Password hashes, derived passwords, and texts that a password encrypts.

use aes::Aes256;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD};
use ring::hmac;

use super::super::value::Value;
use super::Kind::{Text, Unsigned};
use super::arguments::{Answer, bytes, fixed, int, string, text};
use super::encodings::decode_base64;
use super::{Entry, Surroundings, TEXT_MAX, entry, too_large};

pub(super) const TABLE: &[Entry] = &[
    entry("bcrypt", &[Text], |around, given| {
        string(bcrypt(around, "bcrypt", bytes(&fixed::<1>(given)?[0])?)?)
    })
    .drawing(),
    entry("htpasswd", &[Text, Text], htpasswd).drawing(),
    entry("derivePassword", &[Unsigned, Text, Text, Text, Text], derive_password).drawing(),
    entry("encryptAES", &[Text, Text], encrypt).drawing(),
    entry("decryptAES", &[Text, Text], decrypt).drawing(),
];

/// The cost that Go's library uses when none is asked for.
const COST: u32 = 10;
/// Longer passwords do not count as a whole, so Go refuses them.
const PASSWORD_MAX: usize = 72;

/// The hash, or sprig's text for what has none. The salt follows from the seed and the password.
fn bcrypt(around: &Surroundings, function: &str, password: &[u8]) -> Result<String, String> {
    const ALPHABET: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::BCRYPT, NO_PAD);
    if password.len() > PASSWORD_MAX {
        let problem = format!("bcrypt: password length exceeds {PASSWORD_MAX} bytes");
        return Ok(format!("failed to encrypt string with bcrypt: {problem}"));
    }
    let mut draw = around.draw.borrow_mut();
    draw.count_costly(function, 1)?;
    let salt: [u8; 16] = draw.stream(function, &[password]).array();
    // The library wants the zero at the end of a C string to be given.
    let hash = bcrypt::bcrypt(COST, salt, &[password, &[0]].concat());
    Ok(format!("$2a${COST:02}${}{}", ALPHABET.encode(salt), ALPHABET.encode(&hash[..23])))
}

/// A line of a password file.
fn htpasswd(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [user, password] = fixed(arguments)?;
    let user = text(user)?;
    if user.contains(':') {
        return string(format!("invalid username: {user}"));
    }
    string(format!("{user}:{}", bcrypt(around, "htpasswd", bytes(password)?)?))
}

const SCOPE: &str = "com.lyndir.masterpassword";

/// The forms of passwords of each kind; a letter stands for one of [`characters`].
fn forms(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

fn characters(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

/// A text behind its length, as the algorithm counts it.
fn counted(text: &[u8]) -> Result<Vec<u8>, String> {
    let length = u32::try_from(text.len()).map_err(|_| too_large("the text"))?;
    Ok([&length.to_be_bytes(), text].concat())
}

/// The Master Password algorithm: the same password for the same words, everywhere.
fn derive_password(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [counter, kind, password, user, site] = fixed(arguments)?;
    let counter = u32::try_from(int(counter)?).map_err(|_| "expected unsigned integer")?;
    let Some(forms) = forms(&text(kind)?) else {
        return string(format!("cannot find password template {}", text(kind)?));
    };
    around.draw.borrow_mut().count_costly("derivePassword", 2)?;
    let failed = |error: String| format!("failed to derive password: {error}");
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|error| failed(error.to_string()))?;
    let salt = [SCOPE.as_bytes(), &counted(bytes(user)?)?].concat();
    let mut key = [0; 64];
    scrypt::scrypt(bytes(password)?, &salt, &parameters, &mut key)
        .map_err(|error| failed(error.to_string()))?;
    let message = [SCOPE.as_bytes(), &counted(bytes(site)?)?, &counter.to_be_bytes()].concat();
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &message);
    let [first, rest @ ..] = seed.as_ref() else { return string("") };
    let form = forms[usize::from(*first) % forms.len()];
    let letter = |(letter, number): (u8, &u8)| {
        let characters = characters(letter);
        characters[usize::from(*number) % characters.len()]
    };
    string(form.bytes().zip(rest).map(letter).collect::<Vec<u8>>())
}

/// The key of a password: its first bytes, filled up with zeros.
fn aes_key(password: &[u8]) -> [u8; 32] {
    std::array::from_fn(|at| password.get(at).copied().unwrap_or(0))
}

const BLOCK: usize = 16;

/// AES-256 in CBC with PKCS #7, behind its initial vector, as base64.
fn encrypt(around: &Surroundings, arguments: &[Value]) -> Answer {
    let [password, given] = fixed(arguments)?;
    let (password, given) = (bytes(password)?, bytes(given)?);
    if given.is_empty() {
        return string("");
    }
    if given.len() > TEXT_MAX / 2 {
        return Err(too_large("the encrypted text"));
    }
    let vector: [u8; BLOCK] = around.draw.borrow_mut().stream("encryptAES", &[password, given]).array();
    let padding = BLOCK - given.len() % BLOCK;
    let mut contents = given.to_vec();
    contents.resize(given.len() + padding, padding as u8);
    let cipher = Aes256::new(&aes_key(password).into());
    let mut out = vector.to_vec();
    let mut last = vector;
    for block in contents.as_chunks::<BLOCK>().0 {
        let mut mixed = mix(block, &last).into();
        cipher.encrypt_block(&mut mixed);
        last = mixed.into();
        out.extend_from_slice(&last);
    }
    string(STANDARD.encode(out))
}

/// The bits of one block turned where the other has ones.
fn mix(one: &[u8; BLOCK], other: &[u8; BLOCK]) -> [u8; BLOCK] {
    std::array::from_fn(|at| one[at] ^ other[at])
}

fn decrypt(_: &Surroundings, arguments: &[Value]) -> Answer {
    let [password, given] = fixed(arguments)?;
    let given = bytes(given)?;
    if given.is_empty() {
        return string("");
    }
    let decoded = decode_base64(given)?;
    // What follows are Go's panics.
    let Some((vector, contents)) = decoded.split_first_chunk::<BLOCK>() else {
        return Err(format!(
            "runtime error: slice bounds out of range [:{BLOCK}] with capacity {}",
            decoded.capacity()
        ));
    };
    if contents.is_empty() {
        return Err("runtime error: index out of range [-1]".to_owned());
    }
    let (blocks, []) = contents.as_chunks::<BLOCK>() else {
        return Err("crypto/cipher: input not full blocks".to_owned());
    };
    let cipher = Aes256::new(&aes_key(bytes(password)?).into());
    let mut last = vector;
    let mut decrypted = Vec::with_capacity(contents.len());
    for block in blocks {
        let mut plain = (*block).into();
        cipher.decrypt_block(&mut plain);
        decrypted.extend_from_slice(&mix(&plain.into(), last));
        last = block;
    }
    let padding = usize::from(decrypted.last().copied().unwrap_or(0));
    let end = decrypted.len().checked_sub(padding);
    let end = end.ok_or_else(|| {
        format!("runtime error: slice bounds out of range [:{}]", decrypted.len() as i64 - padding as i64)
    })?;
    string(&decrypted[..end])
}
