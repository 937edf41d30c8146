//! `sampan image`: the images on this device. Works whether a server runs on the data directory or not.

mod registry;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use sampan::image::Store;

use registry::Way;

/// The commands below `sampan image`.
#[derive(Subcommand)]
pub enum Image {
    /// Put a WebAssembly file on this device under a reference such as localhost/app:v1
    Import {
        /// The file
        file: PathBuf,
        /// The reference that manifests name it by
        reference: String,
        #[command(flatten)]
        place: Place,
    },
    /// Give a WebAssembly file to a registry
    Push {
        /// The file
        file: PathBuf,
        /// What it is to be called there: REGISTRY/REPOSITORY:TAG
        reference: String,
        #[command(flatten)]
        way: Way,
    },
    /// Bring an image from a registry onto this device
    Pull {
        /// Its reference
        reference: String,
        #[command(flatten)]
        way: Way,
        #[command(flatten)]
        place: Place,
    },
    /// List the images on this device
    Ls {
        #[command(flatten)]
        place: Place,
    },
    /// Take an image off this device
    Rm {
        /// Its reference
        reference: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Where images are kept.
#[derive(Args)]
pub struct Place {
    /// The server's data directory
    #[arg(long, env = "SAMPAN_DATA_DIR", default_value = "sampan-data", value_name = "DIR")]
    data_dir: PathBuf,
}

impl Place {
    fn open(&self) -> anyhow::Result<Store> {
        Store::open(sampan::image_dir(&self.data_dir))
            .with_context(|| format!("opening the images in {}", self.data_dir.display()))
    }

    /// The store of a directory that is there: who only looks makes none.
    fn look(&self) -> anyhow::Result<Store> {
        if !self.data_dir.is_dir() {
            bail!("there is no data directory {}; name the server's with --data-dir", self.data_dir.display());
        }
        self.open()
    }
}

impl Image {
    /// Does one of them.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Import { file, reference, place } => {
                let image = place.open()?.import(&file, &reference)?;
                println!("{} {} {}", image.reference, image.digest, size(image.size));
            }
            Self::Push { file, reference, way } => {
                let digest = super::block_on(way.push(&file, &reference))?;
                println!("{reference} {digest}");
            }
            Self::Pull { reference, way, place } => {
                let image = super::block_on(way.pull(place.open()?, &reference))?;
                println!("{} {} {}", image.reference, image.digest, size(image.size));
            }
            Self::Ls { place } => {
                let images = place.look()?.list()?;
                println!("{:<48} {:<19} {:>9}", "REFERENCE", "DIGEST", "SIZE");
                for image in images {
                    let digest: String = image.digest.to_string().chars().take(19).collect();
                    println!("{:<48} {digest:<19} {:>9}", image.reference.to_string(), size(image.size));
                }
            }
            Self::Rm { reference, place } => {
                if !place.look()?.remove(&reference)? {
                    bail!("there is no image {reference}; `sampan image ls` lists those that are there");
                }
                println!("{reference} removed");
            }
        }
        Ok(())
    }
}

fn size(bytes: u64) -> String {
    if bytes < 1 << 20 { format!("{}KiB", bytes.div_ceil(1 << 10)) } else { format!("{}MiB", bytes.div_ceil(1 << 20)) }
}
