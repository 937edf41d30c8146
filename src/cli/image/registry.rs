//! Images from and to registries.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use sampan::image::{Config, Credentials, Digest, Image, Keyring, Puller, Purpose, Reference, Registry, Store, push};

/// How to speak to the registry.
#[derive(Args)]
pub struct Way {
    /// Who to be there [default: whom ~/.docker/config.json has for it]
    #[arg(long, requires = "password_stdin", value_name = "NAME")]
    username: Option<String>,
    /// Read the password, or the token, from standard input
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Speak to it without TLS; to this machine itself that is the default
    #[arg(long)]
    plain_http: bool,
    /// Authorities (PEM) that its certificate may be of, besides the public ones
    #[arg(long, conflicts_with = "plain_http", value_name = "FILE")]
    ca_file: Option<PathBuf>,
}

impl Way {
    fn config(&self, reference: &Reference) -> Config {
        let registry = Registry { plain_http: self.plain_http, ca_file: self.ca_file.clone(), ..Registry::default() };
        Config { registries: BTreeMap::from([(reference.registry().to_owned(), registry)]), ..Config::default() }
    }

    fn keyring(&self, reference: &Reference) -> anyhow::Result<Keyring> {
        let mut keyring = Keyring::default();
        if let Some(username) = &self.username {
            let mut password = String::new();
            io::stdin().take(1 << 20).read_to_string(&mut password).context("reading the password")?;
            let password = password.trim_end_matches(['\r', '\n']).to_owned();
            keyring.insert(&reference.repository(), Credentials { username: username.clone(), password });
        } else if let Some(path) = docker_config().filter(|path| path.is_file()) {
            let bytes = fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            keyring.add_docker_config(&bytes).with_context(|| format!("reading {}", path.display()))?;
        }
        Ok(keyring)
    }

    /// Gives a file to a registry.
    pub async fn push(&self, file: &Path, reference: &str) -> anyhow::Result<Digest> {
        let reference = of_a_registry(reference)?;
        Ok(push(file, &reference, &self.config(&reference), &self.keyring(&reference)?).await?)
    }

    /// Brings an image into the store.
    pub async fn pull(&self, store: Store, reference: &str) -> anyhow::Result<Image> {
        let reference = of_a_registry(reference)?;
        let puller = Puller::new(store, self.config(&reference))?;
        let pull = puller.pull(reference.clone(), self.keyring(&reference)?, Purpose::Run);
        Ok(puller.image(&pull).await?)
    }
}

fn of_a_registry(reference: &str) -> anyhow::Result<Reference> {
    let reference = Reference::parse(reference).with_context(|| format!("the reference {reference:?}"))?;
    if reference.is_local() {
        bail!("{reference} is of this device's own store; a registry has a name such as ghcr.io or localhost:5000");
    }
    Ok(reference)
}

/// Where `docker login` keeps what it was told.
fn docker_config() -> Option<PathBuf> {
    let folder = env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(env::home_dir()?.join(".docker")))?;
    Some(folder.join("config.json"))
}
