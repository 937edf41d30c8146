//! Manifests from files, folders and standard input, with the WebAssembly files that they name.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use sampan::image::Store;
use serde::Deserialize as _;
use serde_json::Value;

/// The objects of some manifests, in the order in which they stand there.
pub struct Manifests {
    /// The objects.
    pub objects: Vec<Value>,
    /// WebAssembly files that the objects name, by the reference under which they are to be imported.
    pub files: BTreeMap<String, PathBuf>,
}

impl Manifests {
    /// Reads files, folders (their `.yaml`, `.yml` and `.json` files, by name) and `-`.
    pub fn read(sources: &[PathBuf]) -> anyhow::Result<Self> {
        let mut manifests = Self { objects: Vec::new(), files: BTreeMap::new() };
        for source in sources {
            if source.as_os_str() == "-" {
                let mut text = String::new();
                std::io::stdin().read_to_string(&mut text).context("reading standard input")?;
                manifests.add(&text, Path::new("."), "standard input")?;
            } else {
                for file in files(source)? {
                    let text = std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
                    manifests.add(&text, file.parent().unwrap_or(Path::new(".")), &file.display().to_string())?;
                }
            }
        }
        if manifests.objects.is_empty() {
            bail!("no objects in the manifests");
        }
        Ok(manifests)
    }

    /// Imports the files that the objects name.
    pub fn import(&self, store: &Store) -> anyhow::Result<()> {
        for (reference, file) in &self.files {
            store.import(file, reference).with_context(|| format!("importing {}", file.display()))?;
        }
        Ok(())
    }

    fn add(&mut self, text: &str, folder: &Path, name: &str) -> anyhow::Result<()> {
        for document in serde_yaml::Deserializer::from_str(text) {
            let value = Value::deserialize(document).with_context(|| format!("in {name}"))?;
            match value {
                Value::Null => {}
                Value::Object(_) => self.add_object(value, folder, name)?,
                _ => bail!("in {name}: a manifest is an object with apiVersion and kind"),
            }
        }
        Ok(())
    }

    fn add_object(&mut self, mut object: Value, folder: &Path, name: &str) -> anyhow::Result<()> {
        let is_list = object.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        if is_list && object.get("items").is_some() {
            for item in object["items"].as_array_mut().map(std::mem::take).unwrap_or_default() {
                self.add_object(item, folder, name)?;
            }
            return Ok(());
        }
        if object.get("kind").is_none() || object.get("apiVersion").is_none() {
            bail!("in {name}: an object has no kind or no apiVersion");
        }
        let specs = ["/spec", "/spec/template/spec"];
        for path in specs.iter().flat_map(|spec| [format!("{spec}/initContainers"), format!("{spec}/containers")]) {
            for container in object.pointer_mut(&path).and_then(Value::as_array_mut).into_iter().flatten() {
                self.localize(container, folder)?;
            }
        }
        self.objects.push(object);
        Ok(())
    }

    /// Replaces the path of a WebAssembly file by a reference that holds the file's digest, so that a changed file is
    /// a changed template.
    fn localize(&mut self, container: &mut Value, folder: &Path) -> anyhow::Result<()> {
        let Some(image) = container.get("image").and_then(Value::as_str) else { return Ok(()) };
        let is_path = image.starts_with("./") || image.starts_with("../") || image.starts_with('/');
        if !is_path || !image.ends_with(".wasm") {
            return Ok(());
        }
        let file = folder.join(image);
        let digest = sampan::image::digest(&file)?;
        let stem = file.file_stem().map(|s| s.to_string_lossy().to_lowercase()).unwrap_or_default();
        let short: String = digest.trim_start_matches("sha256:").chars().take(12).collect();
        let reference = format!("localhost/{stem}:{short}");
        container["image"] = reference.as_str().into();
        self.files.insert(reference, file);
        Ok(())
    }
}

fn files(source: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !source.is_dir() {
        return Ok(vec![source.to_owned()]);
    }
    let entries = std::fs::read_dir(source).with_context(|| format!("reading {}", source.display()))?;
    let mut found: Vec<PathBuf> = entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| is_manifest(p)).collect();
    found.sort();
    if found.is_empty() {
        bail!("no .yaml, .yml or .json file in {}", source.display());
    }
    Ok(found)
}

fn is_manifest(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
}
