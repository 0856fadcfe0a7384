//! TLS to a real PostgreSQL: who it has to be, and who may not connect.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use usher_site::{PostgresAddress, PostgresSite, Site};
use usher_testing::postgres::Postgres;

/// An authority, and its certificate as PEM.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

impl Authority {
    fn new(name: &str) -> Authority {
        let mut of = CertificateParams::new(Vec::<String>::new()).unwrap();
        of.distinguished_name.push(DnType::CommonName, name);
        of.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = of.self_signed(&key).unwrap().pem();
        Authority {
            issuer: Issuer::new(of, key),
            certificate,
        }
    }

    /// A certificate for a name, and its key, as PEM.
    fn pair(&self, name: &str) -> (String, String) {
        let mut of = CertificateParams::new(vec![name.to_owned()]).unwrap();
        of.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = of.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

/// A cluster on a port of the loopback interface.
struct Listening {
    cluster: Postgres,
    port: u16,
}

impl Listening {
    /// With a certificate of that authority for a name; nobody gets in over TCP without TLS, and only
    /// `showing` a certificate of that authority, if that is asked.
    fn with_tls(authority: &Authority, name: &str, showing: &str) -> Listening {
        let cluster = Postgres::start().unwrap();
        let (certificate, key) = authority.pair(name);
        let mut it = Listening { cluster, port: 0 };
        it.write("data/server.crt", &certificate);
        it.write("data/server.key", &key);
        it.write("data/ca.crt", &authority.certificate);
        let lets_in =
            format!("local all all trust\nhostssl all all 127.0.0.1/32 trust {showing}\n");
        it.write("data/pg_hba.conf", &lets_in);
        it.serve(&["ssl=on", "ssl_ca_file=ca.crt"]);
        it
    }

    fn without_tls() -> Listening {
        let cluster = Postgres::start().unwrap();
        let mut it = Listening { cluster, port: 0 };
        it.serve(&["ssl=off"]);
        it
    }

    fn serve(&mut self, settings: &[&str]) {
        self.cluster.kill().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        self.port = free.local_addr().unwrap().port();
        drop(free);
        let listens = ["listen_addresses=127.0.0.1"];
        let all: Vec<&str> = settings.iter().chain(&listens).copied().collect();
        self.cluster.serve_on(self.port, &all).unwrap();
    }

    /// Writes a file that only the account of the cluster can read.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        let file = self.cluster.folder().join(name);
        fs::write(&file, text).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let owner = fs::metadata(self.cluster.data()).unwrap();
        chown(&file, Some(owner.uid()), Some(owner.gid())).unwrap();
        file
    }

    /// Opens the site there as a manager does; what it says if it cannot.
    async fn open(&self, host: &str, query: &str) -> Result<PostgresSite, String> {
        let url = format!("postgres://postgres@{host}:{}/postgres?{query}", self.port);
        let address = PostgresAddress::parse(&url).unwrap();
        PostgresSite::open(address)
            .await
            .map_err(|error| error.to_string())
    }

    async fn refusal(&self, host: &str, query: &str) -> String {
        match self.open(host, query).await {
            Ok(_) => panic!("{host} with {query} was let in"),
            Err(said) => said,
        }
    }
}

#[tokio::test]
async fn a_site_is_kept_over_tls_if_the_server_is_who_the_url_says() {
    let authority = Authority::new("site authority");
    let server = Listening::with_tls(&authority, "localhost", "");
    let ca = server.write("ca.pem", &authority.certificate);
    let query = format!("sslmode=verify-full&sslrootcert={}", ca.display());
    let site = server.open("localhost", &query).await.unwrap();
    let lead = crate::leading::lead(&site, crate::leading::LONG).await;
    let site = site.under(Some(lead));
    site.watch(crate::common::server("alpha")).await.unwrap();
    let kept = site.resume().await.unwrap().servers;
    assert_eq!(kept, [crate::common::server("alpha")]);
    let encrypted = "SELECT bool_and(ssl), count(*) > 0 FROM pg_stat_ssl \
                     JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'usher%'";
    assert_eq!(crate::postgres::sql(&server.cluster, encrypted), "t|t");
    // Its own pg_hba.conf lets nobody in without TLS, so what was kept went over it.
    let said = server.refusal("localhost", "sslmode=disable").await;
    assert!(said.contains("no encryption"), "{said}");
}

#[tokio::test]
async fn a_server_of_another_authority_or_name_is_refused_and_told_what_to_do() {
    let (authority, other) = (Authority::new("of the site"), Authority::new("another"));
    let server = Listening::with_tls(&authority, "db.example", "");
    let ca = server.write("ca.pem", &authority.certificate);
    let others = server.write("other.pem", &other.certificate);
    let trusting = |file: &PathBuf| format!("sslrootcert={}", file.display());

    let said = server.refusal("localhost", &trusting(&others)).await;
    assert!(
        said.contains("an authority that is not trusted here"),
        "{said}"
    );
    assert!(said.contains("sslrootcert=FILE"), "{said}");
    // The system's authorities know it no better.
    let said = server.refusal("localhost", "sslmode=verify-full").await;
    assert!(
        said.contains("an authority that is not trusted here"),
        "{said}"
    );

    let said = server.refusal("localhost", &trusting(&ca)).await;
    assert!(said.contains("its certificate is for"), "{said}");
    assert!(said.contains("db.example"), "{said}");
    assert!(
        said.contains(&format!("localhost:{}", server.port)),
        "{said}"
    );

    let no_file = server.cluster.folder().join("none.pem");
    let said = server.refusal("localhost", &trusting(&no_file)).await;
    assert!(said.contains("cannot read the sslrootcert"), "{said}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_and_told_what_to_do() {
    let server = Listening::without_tls();
    let said = server.refusal("127.0.0.1", "sslmode=verify-full").await;
    assert!(said.contains("it has no TLS"), "{said}");
    assert!(said.contains("sslmode=disable"), "{said}");
    server.open("127.0.0.1", "sslmode=disable").await.unwrap();
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_is_shown_one() {
    let authority = Authority::new("of the site");
    let server = Listening::with_tls(&authority, "localhost", "clientcert=verify-full");
    let ca = server.write("ca.pem", &authority.certificate);
    let show = |(certificate, key): (String, String), name: &str| {
        let certificate = server.write(&format!("{name}.crt"), &certificate);
        let key = server.write(&format!("{name}.key"), &key);
        let (certificate, key) = (certificate.display(), key.display());
        format!(
            "sslrootcert={}&sslcert={certificate}&sslkey={key}",
            ca.display()
        )
    };

    let without = format!("sslrootcert={}", ca.display());
    let said = server.refusal("localhost", &without).await;
    assert!(said.contains("sslcert=FILE and sslkey=FILE"), "{said}");

    // It is for the role by whose name it is.
    let query = show(authority.pair("postgres"), "postgres");
    server.open("localhost", &query).await.unwrap();

    let other = Authority::new("another");
    let query = show(other.pair("postgres"), "other");
    let said = server.refusal("localhost", &query).await;
    assert!(said.contains("ssl_ca_file"), "{said}");

    let (certificate, _) = authority.pair("postgres");
    let (_, key) = authority.pair("postgres");
    let said = server
        .refusal("localhost", &show((certificate, key), "mixed"))
        .await;
    assert!(said.contains("are no pair"), "{said}");
}
