//! Which realm the accounts of a name service belong to, as set by the computer's administrator.

use usher_core::people;

/// How many realms can be set.
const REALMS_LIMIT: usize = 64;
/// How many bytes a realm, or the name of its service or domain, can have.
const BYTES_LIMIT: usize = 255;

/// The realms of name services, and of domains as they are written in account names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Realms(Vec<(String, String)>);

impl Realms {
    /// Parses settings of the form `NAME=REALM`. NAME is a service of `/etc/nsswitch.conf` (`sss`,
    /// `winbind`, `ldap`), or a domain as it is written in account names (`CORP` of `CORP\ann`).
    ///
    /// # Errors
    /// Says which setting cannot be used, and why.
    pub fn parse<S: AsRef<str>>(settings: &[S]) -> Result<Realms, String> {
        if settings.len() > REALMS_LIMIT {
            return Err(format!(
                "there are {} realms of people: give at most {REALMS_LIMIT}",
                settings.len()
            ));
        }
        let mut realms: Vec<(String, String)> = Vec::new();
        for setting in settings {
            let setting = setting.as_ref();
            let (name, realm) = setting.split_once('=').unwrap_or((setting, ""));
            let (name, realm) = (name.trim(), realm.trim());
            if [name, realm].into_iter().any(|part| !is_word(part)) {
                return Err(format!(
                    "{setting:?} names no realm: write SERVICE=REALM, such as sss=corp.example"
                ));
            }
            match people::is_directory(realm) {
                Ok(true) => {}
                Ok(false) => {
                    return Err(format!(
                        "{realm:?} is no directory's realm: leave it out, and the accounts of \
                         {name} are the computer's own"
                    ));
                }
                Err(why) => return Err(why.to_string()),
            }
            if realms.iter().any(|(known, _)| is_same(known, name)) {
                return Err(format!("{name} has two realms: give one"));
            }
            realms.push((name.to_owned(), realm.to_owned()));
        }
        Ok(Realms(realms))
    }

    /// Each service or domain, and its realm.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, realm)| (&**name, &**realm))
    }

    /// The realm of a service's accounts; `None`: the accounts are the computer's own.
    pub(crate) fn of_service(&self, service: &str) -> Option<&str> {
        let mut known = self.0.iter();
        known
            .find(|(name, _)| name == service)
            .map(|(_, realm)| &**realm)
    }

    /// The realm and the account of a name that a service answers.
    pub(crate) fn split<'a>(&'a self, service: &str, name: &'a str) -> (Option<&'a str>, &'a str) {
        match people::split(name, |domain| self.of_domain(domain)) {
            Some((realm, account)) => (Some(realm), account),
            None => (self.of_service(service), name),
        }
    }

    fn of_domain(&self, domain: &str) -> Option<&str> {
        let is_meant =
            |(name, realm): &&(String, String)| is_same(realm, domain) || is_same(name, domain);
        self.0.iter().find(is_meant).map(|(_, realm)| &**realm)
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

fn is_word(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || usher_api::is_unseen(c);
    !text.is_empty() && text.len() <= BYTES_LIMIT && !text.contains(is_odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_belongs_to_the_realm_of_its_domain_else_to_that_of_its_service() {
        let realms = Realms::parse(&["sss=corp.example", "LAB = lab.example"]).unwrap();
        for (service, name, realm, account) in [
            ("sss", "ann", Some("corp.example"), "ann"),
            ("sss", "ann@corp.example", Some("corp.example"), "ann"),
            ("sss", "ann@Lab.Example", Some("lab.example"), "ann"),
            ("sss", "ann@home", Some("corp.example"), "ann@home"),
            ("winbind", r"lab\ann@home", Some("lab.example"), "ann@home"),
            ("winbind", r"other\ann", None, r"other\ann"),
            ("winbind", "ann", None, "ann"),
        ] {
            assert_eq!(realms.split(service, name), (realm, account), "{name}");
        }
    }

    #[test]
    fn what_is_no_realm_is_refused_with_what_is_wrong() {
        for (settings, why) in [
            (&["sss"][..], "SERVICE=REALM"),
            (&["=corp.example"][..], "SERVICE=REALM"),
            (&["sss=corp example"][..], "SERVICE=REALM"),
            (&["sss=usher"][..], "no directory's realm"),
            (&["sss=computer:c1"][..], "no directory's realm"),
            (&["sss=Usher"][..], "no directory's realm"),
            (&["sss=a.example", "SSS=b.example"][..], "two realms"),
        ] {
            let refused = Realms::parse(settings).unwrap_err();
            assert!(refused.contains(why), "{settings:?}: {refused}");
        }
        let many: Vec<String> = (0..65).map(|n| format!("s{n}=corp.example")).collect();
        assert!(Realms::parse(&many).unwrap_err().contains("at most 64"));
    }
}
