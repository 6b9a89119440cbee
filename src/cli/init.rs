//! `consentry init`: writes a first configuration, commented, that changes nothing yet (`observe`).

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use url::Host;

use super::check;
use super::yaml::scalar;
use crate::config::{self, CertificateFiles};
use crate::telemetry;

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The host by which visitors know the site
    #[arg(long, default_value = "shop.example")]
    host: String,
    /// The site's own server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    origin: String,
    /// Replace a file that is there
    #[arg(long)]
    force: bool,
    /// Where to write it
    #[arg(default_value = "consentry.yaml")]
    file: PathBuf,
}

/// The configuration; the capitals are filled in.
const TEMPLATE: &str = include_str!("init.yaml");

/// Writes the file and says what to do next; exit 2 if what it would say is wrong, 1 if it cannot be written.
pub(super) fn run(args: &Args) -> ExitCode {
    let name = args.host.trim_start_matches("*.").to_ascii_lowercase();
    let text = TEMPLATE
        .replace("LISTEN", listen([&*args.host].into_iter()))
        .replace("HOST", &scalar(&args.host))
        .replace("ORIGIN", &scalar(&args.origin))
        .replace("CERTIFICATE", &scalar(&format!("certs/{name}.pem")));
    let file = args.file.to_string_lossy();
    if let Err(problems) = config::parse(&text, &file, Path::new(""), telemetry::now().0, CertificateFiles::Skip) {
        let _ = check::print(&problems, false);
        return ExitCode::from(check::WRONG);
    }
    if let Err(error) = write(&args.file, &text, args.force) {
        eprintln!("consentry: {file}: {error}");
        if error.kind() == io::ErrorKind::AlreadyExists {
            eprintln!("  write `--force` to replace it, or name another file");
        }
        return ExitCode::FAILURE;
    }
    let _ = writeln!(io::stdout(), "{}", format_args!("{file} is written. Next:\n\n{}", next_steps(&file, &name)));
    ExitCode::SUCCESS
}

/// Without `--force` the file system itself refuses to replace what is there, so that nothing can come between.
pub(super) fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    let mut file =
        if force { options.create(true).truncate(true) } else { options.create_new(true) }.write(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// Where a site of these hosts listens at first: one that only this machine knows needs no rights to try it.
pub(super) fn listen<'h>(mut hosts: impl Iterator<Item = &'h str>) -> &'static str {
    if hosts.all(is_local) {
        "# Where TLS is accepted; for visitors from elsewhere it will be 0.0.0.0:443.\nlisten: 127.0.0.1:8443"
    } else {
        "# Where TLS is accepted, and where plain HTTP is redirected to it.\nlisten: 0.0.0.0:443\nredirect: 0.0.0.0:80"
    }
}

fn is_local(host: &str) -> bool {
    match Host::parse(host) {
        Ok(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

/// What to do with a file that was written for the site that visitors know as `name`.
pub(super) fn next_steps(file: &str, name: &str) -> String {
    let local = is_local(name);
    let official = format!(
        "     Let's Encrypt:  certbot certonly --standalone -d {name}, then link fullchain.pem and privkey.pem there.\n"
    );
    let (official, address) =
        if local { (String::new(), format!("https://{name}:8443/")) } else { (official, format!("https://{name}/")) };
    format!(
        "  1. Put the certificate of {name} (chain, PEM) at certs/{name}.pem beside the file, and its key at certs/{name}.key.
{official}     To try it here: mkdir -p certs && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \\
                       -subj '/CN={name}' -addext 'subjectAltName=DNS:{name}' \\
                       -keyout certs/{name}.key -out certs/{name}.pem
  2. consentry check --config {file}
  3. consentry serve --config {file}
     It changes nothing yet: `mode: observe` only looks. Use the site at {address}; the log tells
     what would be enforced, and visitors find their choices at {address}_consent/
  4. Ask what would happen:  consentry explain --config {file} 'Set-Cookie: _ga=1'
  5. After some visits, see what the policy does not say yet:  consentry policy drift --config {file}
  6. When you agree with the answers, write `mode: enforce`."
    )
}
