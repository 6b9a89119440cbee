//! The way to the server: URL, TLS, and the form of our tables.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Error;

/// Each takes the form before it to the next.
const STEPS: [&str; 1] = [include_str!("schema.sql")];
/// Ours among all advisory locks of the database: `CSNT`.
const LOCK: i64 = 0x4353_4e54;

/// Reads the URL, such as `postgres://consentry:secret@db.example/consentry`, out of a file.
pub(super) fn config(url_file: &Path) -> Result<Config, Error> {
    let explain = |what: String| Error::Io(std::io::Error::other(format!("{}: {what}", url_file.display())));
    let text = std::fs::read_to_string(url_file).map_err(|error| explain(error.to_string()))?;
    // The error of the parser does not show the secret.
    let mut config: Config = text.trim().parse().map_err(|error| explain(format!("no PostgreSQL URL: {error}")))?;
    config.application_name("consentry").connect_timeout(Duration::from_secs(3));
    // Over a network there is no `prefer`: whoever stands between would prefer otherwise.
    let is_near = |host: &Host| match host {
        Host::Tcp(host) => ["localhost", "127.0.0.1", "::1"].contains(&&**host),
        Host::Unix(_) => true,
    };
    if config.get_ssl_mode() == SslMode::Prefer && !config.get_hosts().iter().all(is_near) {
        config.ssl_mode(SslMode::Require);
    }
    Ok(config)
}

pub(super) async fn connect(config: Config) -> Result<Client, Error> {
    let mut roots = RootCertStore::empty();
    if config.get_ssl_mode() != SslMode::Disable {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
    // It ends with the client.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    // Acknowledged means on disk, whatever the server's default is.
    client
        .batch_execute(
            "SET synchronous_commit = on; SET lock_timeout = '3s'; SET client_min_messages = warning; \
             CREATE SCHEMA IF NOT EXISTS consentry; SET search_path = consentry",
        )
        .await?;
    migrate(&client).await?;
    Ok(client)
}

async fn migrate(client: &Client) -> Result<(), Error> {
    client.batch_execute("BEGIN").await?;
    client.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    client.batch_execute("CREATE TABLE IF NOT EXISTS form (number bigint NOT NULL)").await?;
    let form: i64 = client.query_one("SELECT coalesce(max(number), 0) FROM form", &[]).await?.try_get(0)?;
    let steps = STEPS.len() as i64;
    if form > steps {
        return Err(Error::Newer(form));
    }
    for (number, step) in (1_i64..).zip(STEPS).skip(form as usize) {
        client.batch_execute(step).await?;
        client.execute("INSERT INTO form VALUES ($1)", &[&number]).await?;
    }
    Ok(client.batch_execute("COMMIT").await?)
}
