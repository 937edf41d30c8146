//! Debian's `docker-registry`, and images pushed to it with `skopeo`.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use sampan::image::Digest;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::PATIENCE;

/// `me:secret`, as `htpasswd -B` writes it.
const HTPASSWD: &str = "me:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n";

/// How a registry wants to be spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// By anybody.
    Open,
    /// By `me`, with the password `secret`.
    Login,
    /// Over TLS, with a certificate of an authority of its own.
    Tls,
}

/// A registry on a port of its own. It dies with its handle.
pub struct Registry {
    child: Child,
    dir: TempDir,
    manner: Manner,
    pub host: String,
}

impl Registry {
    pub fn start(manner: Manner) -> Registry {
        let dir = TempDir::new().expect("a temporary directory");
        let path = |name: &str| dir.path().join(name);
        fs::write(path("config.yml"), "version: 0.1\n").expect("the registry's configuration");
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(path("config.yml")).env("REGISTRY_HTTP_ADDR", "127.0.0.1:0");
        command.env("REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY", path("data"));
        match manner {
            Manner::Open => {}
            Manner::Login => {
                fs::write(path("htpasswd"), HTPASSWD).expect("the passwords");
                command.env("REGISTRY_AUTH", "htpasswd").env("REGISTRY_AUTH_HTPASSWD_REALM", "test");
                command.env("REGISTRY_AUTH_HTPASSWD_PATH", path("htpasswd"));
            }
            Manner::Tls => {
                certificate(dir.path());
                command.env("REGISTRY_HTTP_TLS_CERTIFICATE", path("ca.crt"));
                command.env("REGISTRY_HTTP_TLS_KEY", path("ca.key"));
            }
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("docker-registry starts (`make clients` installs it)");
        let host = address(child.stderr.take().expect("its log"));
        Registry { child, dir, manner, host }
    }

    /// The file with its authority.
    pub fn authority(&self) -> std::path::PathBuf {
        self.dir.path().join("ca.crt")
    }

    /// Pushes an image of one program, as the CNCF has them.
    pub fn push_program(&self, name: &str, program: &Path) {
        let config = json!({"architecture": "wasm", "os": "wasip2"});
        let program = fs::read(program).expect("the program");
        self.push(name, (&config, "application/vnd.wasm.config.v0+json"), (program, "application/wasm"));
    }

    /// Pushes an image of files for a platform.
    pub fn push_files(&self, name: &str, (os, architecture): (&str, &str), config: &Value, files: &Path) {
        let archive = Command::new("tar").arg("-C").arg(files).args(["-cf", "-", "."]).output().expect("tar runs");
        let layer = archive.stdout;
        let diff_ids = [Digest::of(&layer).to_string()];
        let config = json!({"os": os, "architecture": architecture, "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids}});
        let media_type = "application/vnd.oci.image.config.v1+json";
        self.push(name, (&config, media_type), (layer, "application/vnd.oci.image.layer.v1.tar"));
    }

    fn push(&self, name: &str, (config, config_type): (&Value, &str), (layer, layer_type): (Vec<u8>, &str)) {
        let layout = TempDir::new_in(self.dir.path()).expect("a layout");
        let blobs = layout.path().join("blobs/sha256");
        fs::create_dir_all(&blobs).expect("the blobs");
        let blob = |bytes: &[u8], media_type: &str| {
            let digest = Digest::of(bytes);
            fs::write(blobs.join(digest.hex()), bytes).expect("a blob");
            json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
        };
        let manifest_type = "application/vnd.oci.image.manifest.v1+json";
        let config = blob(config.to_string().as_bytes(), config_type);
        let manifest = json!({"schemaVersion": 2, "mediaType": manifest_type, "config": config,
            "layers": [blob(&layer, layer_type)]});
        let mut entry = blob(manifest.to_string().as_bytes(), manifest_type);
        entry["annotations"] = json!({"org.opencontainers.image.ref.name": "image"});
        let index = json!({"schemaVersion": 2, "manifests": [entry]}).to_string();
        fs::write(layout.path().join("index.json"), index).expect("the index");
        fs::write(layout.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("the layout");
        self.skopeo(&format!("oci:{}:image", layout.path().display()), name);
    }

    fn skopeo(&self, from: &str, name: &str) {
        let mut command = Command::new("skopeo");
        command.args(["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"]);
        if self.manner == Manner::Login {
            command.args(["--dest-creds", "me:secret"]);
        }
        let to = format!("docker://{}/{name}", self.host);
        let output = command.args([from, &to]).output().expect("skopeo starts (`make clients` installs it)");
        assert!(output.status.success(), "skopeo: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        // It may have ended by itself; either way it is reaped here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate that is its own authority.
fn certificate(dir: &Path) {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(dir.join("ca.key"))
        .arg("-out")
        .arg(dir.join("ca.crt"))
        .stderr(Stdio::null())
        .status();
    assert!(made.expect("openssl starts").success());
}

/// The address that it says it listens on.
fn address(log: impl std::io::Read + Send + 'static) -> String {
    let (found, address) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if let Some((_, rest)) = line.split_once("listening on ") {
                let end = rest.find([',', '"', ' ']).unwrap_or(rest.len());
                let _ = found.send(rest[..end].to_owned());
            }
        }
    });
    address.recv_timeout(PATIENCE).expect("the registry listens")
}
