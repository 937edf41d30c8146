//! JSON Web Tokens of this cluster: signed with ES256 (RFC 7518), so that whoever has the public key can check them.
//!
//! ```text
//! pki/sa.key ─► Key ─► sign(claims) = header.claims.signature
//!                  └─► verify(token) = claims       jwks() = what /openid/v1/jwks says
//! ```

use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PublicKeyData as _};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::PkiError;
use crate::private_file;

/// The one algorithm: small keys, short signatures, and every client library knows it.
pub const ALGORITHM: &str = "ES256";

/// The bytes of one coordinate of a public key.
const COORDINATE: usize = 32;

/// A key that signs, and verifies what it signed.
pub struct Key {
    pair: EcdsaKeyPair,
    random: SystemRandom,
    id: String,
    header: String,
}

impl Key {
    /// Opens `sa.key` of a directory, or makes it; without a directory it lives as long as the process.
    ///
    /// # Errors
    /// When the file can neither be read nor made.
    pub fn open(directory: Option<&Path>) -> Result<Self, PkiError> {
        let Some(path) = directory.map(|directory| directory.join("sa.key")) else {
            return Self::of(&generate()?);
        };
        match fs::read_to_string(&path) {
            Ok(pem) => Self::of(&KeyPair::from_pem(&pem).map_err(failed)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let pair = generate()?;
                let written = private_file::write(&path, pair.serialize_pem().as_bytes());
                written.map_err(|source| PkiError::File { path, source })?;
                Self::of(&pair)
            }
            Err(source) => Err(PkiError::File { path, source }),
        }
    }

    fn of(pair: &KeyPair) -> Result<Self, PkiError> {
        let random = SystemRandom::new();
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(pair.subject_public_key_info()));
        let header = json!({"alg": ALGORITHM, "kid": id}).to_string();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &pair.serialize_der(), &random)
            .map_err(|_| failed(rcgen::Error::UnsupportedSignatureAlgorithm))?;
        Ok(Self { pair, random, id, header: URL_SAFE_NO_PAD.encode(header) })
    }

    /// A token that says `claims`.
    ///
    /// # Errors
    /// When the system has no randomness to give.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, Unsigned> {
        let claims = serde_json::to_vec(claims).map_err(|_| Unsigned)?;
        let mut token = format!("{}.{}", self.header, URL_SAFE_NO_PAD.encode(claims));
        let signature = self.pair.sign(&self.random, token.as_bytes()).map_err(|_| Unsigned)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    /// What a token says, if this key signed it.
    pub fn verify<C: DeserializeOwned>(&self, token: &str) -> Option<C> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if head["alg"] != ALGORITHM {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key());
        public.verify(signed.as_bytes(), &signature).ok()?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    /// The public key as a JSON Web Key Set (RFC 7517).
    pub fn jwks(&self) -> Value {
        // One byte that says "uncompressed", then the two coordinates.
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(COORDINATE);
        json!({"keys": [{
            "use": "sig",
            "kty": "EC",
            "kid": self.id,
            "crv": "P-256",
            "alg": ALGORITHM,
            "x": URL_SAFE_NO_PAD.encode(x),
            "y": URL_SAFE_NO_PAD.encode(y),
        }]})
    }
}

/// A token could not be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token could not be signed")]
pub struct Unsigned;

fn generate() -> Result<KeyPair, PkiError> {
    KeyPair::generate().map_err(failed)
}

fn failed(source: rcgen::Error) -> PkiError {
    PkiError::Issue { name: "service account tokens (sa.key)".to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_what_its_key_signed_and_nothing_else() {
        let key = Key::open(None).unwrap();
        let claims = json!({"sub": "a", "exp": 5});
        let token = key.sign(&claims).unwrap();
        assert_eq!(key.verify::<Value>(&token), Some(claims));
        assert_eq!(Key::open(None).unwrap().verify::<Value>(&token), None);
        let [header, _, signature] = *token.split('.').collect::<Vec<_>>() else { panic!("three parts") };
        let forged = URL_SAFE_NO_PAD.encode(json!({"sub": "root"}).to_string());
        assert_eq!(key.verify::<Value>(&format!("{header}.{forged}.{signature}")), None);
        let none = URL_SAFE_NO_PAD.encode(json!({"alg": "none"}).to_string());
        assert_eq!(key.verify::<Value>(&format!("{none}.{forged}.")), None);
        for broken in ["", ".", "..", "a.b.c", &token[1..], &token[..token.len() - 1]] {
            assert_eq!(key.verify::<Value>(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_key_survives_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let first = Key::open(Some(directory.path())).unwrap();
        let again = Key::open(Some(directory.path())).unwrap();
        assert_eq!(again.verify::<Value>(&first.sign(&json!(1)).unwrap()), Some(json!(1)));
        assert_eq!(first.jwks(), again.jwks());
    }

    #[test]
    fn the_published_key_verifies() {
        let key = Key::open(None).unwrap();
        let token = key.sign(&json!({"sub": "a"})).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let jwk = &key.jwks()["keys"][0];
        let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        public.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    }
}
