//! Builds the packages, each alone, because the features of some exclude those of others.

use crate::Result;
use crate::roster::Entry;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The folders of a run.
pub(crate) struct Workshop {
    /// `benches/compare`.
    pub(crate) folder: PathBuf,
    /// The folder of everything that a run makes, except for the tables and the chart.
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

    /// Builds a library's package and returns the program.
    pub(crate) fn build(&self, entry: &Entry) -> Result<PathBuf> {
        self.check_features(entry)?;
        let (package, target) = (peer(entry), self.target.join("build"));
        self.build_member(&package, entry.features, &target)?;
        self.keep(&target, &package, entry.id)
    }

    /// Builds the package `countersign` of another checkout with the lock file of that checkout. It has to be
    /// up to date, because this run must not change the other checkout.
    pub(crate) fn build_other(&self, checkout: &Path, id: &str) -> Result<PathBuf> {
        let target = self.target.join("against");
        let mut cargo = cargo_build(&checkout.join("benches/compare/peers/countersign/Cargo.toml"), &target);
        succeed(cargo.arg("--locked"))?;
        self.keep(&target, "compare-countersign", id)
    }

    /// Copies a program under a name of its own, because two builds of one package have the same file name.
    fn keep(&self, target: &Path, package: &str, id: &str) -> Result<PathBuf> {
        let kept = self.program(id);
        fs::copy(target.join("release").join(package), &kept)?;
        Ok(kept)
    }

    /// The path of the program of a build.
    pub(crate) fn program(&self, id: &str) -> PathBuf {
        self.target.join("bin").join(slug(id))
    }

    /// Builds one package of this workspace. Cargo unifies features over the selected packages only, so that
    /// no other member adds a feature to a dependency.
    pub(crate) fn build_member(&self, package: &str, features: &[&str], target: &Path) -> Result<()> {
        let mut cargo = cargo_build(&self.manifest(), target);
        succeed(cargo.args(["--package", package]).arg(format!("--features={}", features.join(","))))
    }

    /// The dependencies of one package of this workspace, one in each line: name, ` v` and version.
    pub(crate) fn tree(&self, package: &str, features: &[&str], options: &[&str]) -> Result<String> {
        let mut cargo = Command::new("cargo");
        cargo.args(["tree", "--edges=normal", "--prefix=none", "--package", package]);
        cargo.arg(format!("--features={}", features.join(","))).args(options);
        let output = cargo.arg("--manifest-path").arg(self.manifest()).output()?;
        if output.status.success() {
            Ok(String::from_utf8(output.stdout)?)
        } else {
            Err(reason(&String::from_utf8_lossy(&output.stderr)).into())
        }
    }

    /// The name of a build in the tables: its library with the version, and the variant.
    pub(crate) fn label(&self, entry: &Entry) -> Result<String> {
        let versions = self.versions(entry)?;
        Ok(match entry.variant {
            Some(variant) if entry.is_floor() => format!("floor ({variant})"),
            None if entry.is_floor() => format!("floor ({versions})"),
            Some(variant) => format!("{versions} ({variant})"),
            None => versions,
        })
    }

    /// The crates that a build is named after, with their versions.
    pub(crate) fn versions(&self, entry: &Entry) -> Result<String> {
        let tree = self.tree(&peer(entry), entry.features, &["--depth=1"])?;
        let versions: Vec<String> = entry.crates.iter().map(|name| version(&tree, name)).collect();
        Ok(versions.join(", "))
    }

    /// The manifest of the workspace.
    pub(crate) fn manifest(&self) -> PathBuf {
        self.folder.join("Cargo.toml")
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

/// The name of the package of a build.
fn peer(entry: &Entry) -> String {
    format!("compare-{}", entry.package)
}

fn cargo_build(manifest: &Path, target: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--quiet", "--manifest-path"]).arg(manifest);
    cargo.arg("--target-dir").arg(target);
    cargo
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(reason(&String::from_utf8_lossy(&output.stderr)).into())
    }
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

/// The name of a crate with its version in the output of `cargo tree`.
fn version(tree: &str, name: &str) -> String {
    let mut lines = tree.lines().filter_map(|line| line.split_once(" v"));
    let version = lines.find(|(found, _)| *found == name).and_then(|(_, rest)| rest.split(' ').next());
    version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"))
}
