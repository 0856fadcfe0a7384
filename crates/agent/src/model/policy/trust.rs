//! Whether a policy is signed by its server, and whether programs may be refused by it.
//!
//! The server signs each policy (Ed25519, over the text as it was sent). The agent keeps the text,
//! the signature and the server's key, so that after a boot without any server it goes by nothing
//! that its server did not say. See `docs/decisions/0012`. Pure.

use data_encoding::HEXLOWER_PERMISSIVE;
use ring::signature::{ED25519, UnparsedPublicKey};
use usher_api::policy_message;

/// Whether programs may be refused by a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// It has its server's signature.
    Signed,
    /// It has no signature, but the server itself gave it to this process.
    Live,
    /// Programs may not be refused, for this reason; the policy still decides what is recorded.
    Refused(&'static str),
}

/// A signature in hexadecimal digits, as it was sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) key: &'a str,
    pub(crate) signature: &'a str,
}

/// Whether the policy `text` that the server has just sent may be enforced. `pinned` is the key
/// that its policies were signed with before; `is_vouched` says that the server's name was proved
/// by its certificate, or that it runs on this computer.
pub(crate) fn received(
    text: &str,
    signed: Option<Signed<'_>>,
    pinned: Option<&str>,
    is_vouched: bool,
) -> Trust {
    match (signed, pinned) {
        (Some(signed), _) if !verifies(text, signed) => {
            Trust::Refused("the signature of the server's policy is wrong")
        }
        (Some(signed), Some(pinned)) if signed.key != pinned && !is_vouched => Trust::Refused(
            "the server's policy is signed by another key than before, and nothing vouches for \
             the server",
        ),
        (Some(_), _) => Trust::Signed,
        (None, Some(_)) if !is_vouched => Trust::Refused(
            "the server's policy is not signed any more, and nothing vouches for the server",
        ),
        (None, _) => Trust::Live,
    }
}

/// Whether the stored policy `text` may be enforced before a server answers.
pub(crate) fn kept(text: &str, signature: Option<&str>, pinned: Option<&str>) -> Trust {
    let (Some(signature), Some(key)) = (signature, pinned) else {
        return Trust::Refused("the stored policy is not signed, and no server answers yet");
    };
    match verifies(text, Signed { key, signature }) {
        true => Trust::Signed,
        false => Trust::Refused("the stored policy is not what its server signed"),
    }
}

/// Whether the server at `url` proves its name, or is this computer itself.
pub(crate) fn is_vouched(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let authority = url.trim_start_matches("http://").split('/').next();
    let authority = authority.unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}

fn verifies(text: &str, signed: Signed<'_>) -> bool {
    let (Some(key), Some(signature)) = (unhex(signed.key), unhex(signed.signature)) else {
        return false;
    };
    UnparsedPublicKey::new(&ED25519, key)
        .verify(&policy_message(text), &signature)
        .is_ok()
}

/// The bytes of hexadecimal digits; none if it is something else, or longer than a signature.
fn unhex(digits: &str) -> Option<Vec<u8>> {
    const SIGNATURE_DIGITS: usize = 128;
    let digits = Some(digits).filter(|digits| digits.len() <= SIGNATURE_DIGITS)?;
    HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    use super::*;

    const TEXT: &str = r#"{"version":7,"products":[]}"#;

    /// The key of a seed, and its signature of `text`.
    fn signed(seed: u8, text: &str) -> (String, String) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let signature = pair.sign(&policy_message(text));
        (
            HEXLOWER.encode(pair.public_key().as_ref()),
            HEXLOWER.encode(signature.as_ref()),
        )
    }

    fn is_refused(trust: Trust) -> bool {
        matches!(trust, Trust::Refused(_))
    }

    #[test]
    fn what_the_server_signed_is_enforced_and_nothing_else_with_a_signature() {
        let (key, signature) = signed(1, TEXT);
        let (other_key, other_signature) = signed(2, TEXT);
        let changed = TEXT.replace('7', "8");
        let judge = |text: &str, key: &str, signature: &str, pinned, vouched| {
            received(text, Some(Signed { key, signature }), pinned, vouched)
        };
        for vouched in [false, true] {
            assert_eq!(judge(TEXT, &key, &signature, None, vouched), Trust::Signed);
            assert_eq!(
                judge(TEXT, &key, &signature, Some(&*key), vouched),
                Trust::Signed
            );
            assert!(is_refused(judge(&changed, &key, &signature, None, vouched)));
            assert!(is_refused(judge(
                TEXT,
                &key,
                &other_signature,
                None,
                vouched
            )));
            assert!(is_refused(judge(
                TEXT, &other_key, &signature, None, vouched
            )));
            for wrong in [
                "",
                "zz",
                "é",
                &signature[1..],
                &signature[2..],
                &signature.repeat(2),
            ] {
                assert!(
                    is_refused(judge(TEXT, &key, wrong, None, vouched)),
                    "{wrong}"
                );
                assert!(
                    is_refused(judge(TEXT, wrong, &signature, None, vouched)),
                    "{wrong}"
                );
            }
        }
    }

    #[test]
    fn another_key_is_taken_only_from_a_server_that_something_vouches_for() {
        let (pinned, _) = signed(1, TEXT);
        let (key, signature) = signed(2, TEXT);
        let judge = |vouched| {
            let signed = Signed {
                key: &key,
                signature: &signature,
            };
            received(TEXT, Some(signed), Some(&pinned), vouched)
        };
        assert!(is_refused(judge(false)));
        assert_eq!(judge(true), Trust::Signed);
    }

    #[test]
    fn a_server_that_signs_nothing_is_believed_while_it_answers() {
        assert_eq!(received(TEXT, None, None, false), Trust::Live);
        assert_eq!(received(TEXT, None, None, true), Trust::Live);
        let (pinned, _) = signed(1, TEXT);
        assert_eq!(received(TEXT, None, Some(&pinned), true), Trust::Live);
        assert!(is_refused(received(TEXT, None, Some(&pinned), false)));
    }

    #[test]
    fn after_a_boot_only_what_was_signed_is_enforced() {
        let (key, signature) = signed(1, TEXT);
        let (other_key, _) = signed(2, TEXT);
        assert_eq!(kept(TEXT, Some(&signature), Some(&key)), Trust::Signed);
        assert!(is_refused(kept(TEXT, None, Some(&key))));
        assert!(is_refused(kept(TEXT, Some(&signature), None)));
        assert!(is_refused(kept(TEXT, Some(&signature), Some(&other_key))));
        assert!(is_refused(kept(
            &format!("{TEXT} "),
            Some(&signature),
            Some(&key)
        )));
        assert!(is_refused(kept("", Some(""), Some(""))));
    }

    #[test]
    fn https_and_this_computer_vouch_for_a_server() {
        let cases = [
            ("https://licences.example.org:8470", true),
            ("http://127.0.0.1:8470", true),
            ("http://127.9.9.9", true),
            ("http://[::1]:8470/", true),
            ("http://localhost:8470", true),
            ("http://192.0.2.1:8470", false),
            ("http://[2001:db8::1]:8470", false),
            ("http://localhost.example.org", false),
            ("http://127.0.0.1.example.org:8470", false),
            ("http://", false),
        ];
        for (url, expected) in cases {
            assert_eq!(is_vouched(url), expected, "{url}");
        }
    }
}
