//! Building the packages, each alone: their features exclude one another, and so do some of their lock files.

use crate::Result;
use crate::roster::Entry;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where everything is.
pub(crate) struct Workshop {
    /// `benches/compare`.
    pub(crate) folder: PathBuf,
    /// Where whatever is made goes.
    pub(crate) target: PathBuf,
    /// The preloaded library that counts allocations, where it could be compiled.
    pub(crate) count_malloc: Option<PathBuf>,
}

impl Workshop {
    pub(crate) fn new() -> Result<Self> {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("the driver lies in a folder")?.to_owned();
        let target =
            PathBuf::from(env::var_os("COMPARE_TARGET").ok_or("start the driver with the script `run`")?);
        fs::create_dir_all(target.join("bin"))?;
        let count_malloc = compile_count_malloc(&folder, &target);
        Ok(Self { folder, target, count_malloc })
    }

    /// Builds a library's package. What it was is kept under a name of its own: two builds of one package
    /// would overwrite each other.
    pub(crate) fn build(&self, entry: &Entry) -> Result<PathBuf> {
        self.check_features(entry)?;
        let package = self.package(entry);
        self.cargo_build(&package, entry.features, &self.target.join("build"))?;
        let kept = self.program(entry);
        fs::copy(self.target.join("build/release").join(format!("compare-{}", entry.package)), &kept)?;
        Ok(kept)
    }

    pub(crate) fn program(&self, entry: &Entry) -> PathBuf {
        self.target.join("bin").join(slug(entry.id))
    }

    pub(crate) fn cargo_build(&self, package: &Path, features: &[&str], target: &Path) -> Result<()> {
        let output = Command::new("cargo")
            .args(["build", "--release", "--quiet", "--manifest-path"])
            .arg(package.join("Cargo.toml"))
            .arg(format!("--features={}", features.join(",")))
            .arg("--target-dir")
            .arg(target)
            .output()?;
        if output.status.success() {
            Ok(())
        } else {
            Err(reason(&String::from_utf8_lossy(&output.stderr)).into())
        }
    }

    /// The library's name with its version and build.
    pub(crate) fn label(&self, entry: &Entry) -> Result<String> {
        let lock = fs::read_to_string(self.package(entry).join("Cargo.lock"))?;
        let versions: Vec<String> = entry.crates.iter().map(|name| locked(&lock, name)).collect();
        let versions = versions.join(", ");
        Ok(match entry.variant {
            _ if entry.is_floor() => format!("floor ({versions})"),
            Some(variant) => format!("{versions} ({variant})"),
            None => versions,
        })
    }

    fn package(&self, entry: &Entry) -> PathBuf {
        self.folder.join("peers").join(entry.package)
    }

    fn check_features(&self, entry: &Entry) -> Result<()> {
        let Some(feature) = entry.needs_feature else { return Ok(()) };
        let manifest = fs::read_to_string(self.folder.join("../../Cargo.toml"))?;
        if manifest.contains(&format!("\n{feature} = [")) {
            return Ok(());
        }
        Err(format!("countersign has no feature {feature}").into())
    }
}

/// A name for a file.
pub(crate) fn slug(id: &str) -> String {
    id.replace([' ', '(', ')'], "-").trim_end_matches('-').to_owned()
}

fn compile_count_malloc(folder: &Path, target: &Path) -> Option<PathBuf> {
    let library = target.join("count_malloc.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O2", "-o"]).arg(&library).arg(folder.join("count_malloc.c"));
    compiler.status().is_ok_and(|status| status.success()).then_some(library)
}

/// The line of a compiler's or a build script's output that tells most.
fn reason(output: &str) -> String {
    const SIGNS: [&str; 3] = ["is `cmake` not installed", "fatal error", "error"];
    let line = SIGNS.iter().find_map(|sign| output.lines().find(|line| line.contains(sign)));
    line.or(output.lines().next()).unwrap_or("the build failed").trim().to_owned()
}

/// The crate's name with its version, the highest where there are several.
fn locked(lock: &str, name: &str) -> String {
    let entry = format!("name = \"{name}\"\nversion = \"");
    let versions = lock.split(&entry).skip(1).filter_map(|rest| rest.split('"').next());
    versions.max().map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}
