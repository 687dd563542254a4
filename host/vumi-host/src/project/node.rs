//! JavaScript and TypeScript projects: npm gets what they need, esbuild makes one script of them.
//!
//! The compilers are the project's own (its `devDependencies`), so a project that built yesterday builds tomorrow,
//! whatever host is installed. The script begins with a line that says what it is, because an upload has no file name.

use std::path::{Path, PathBuf};
use std::process::Command;

use vumi_core::{Error, Result};

use super::BuildFailure;
use super::progress::Progress;
use super::tools;

mod manifest;

use manifest::Manifest;

/// The first line of every script that was made with the SDK.
const FIRST_LINE: &str = "// vumi-app: module";

/// The SDK, and what of it stands in for globals of the web platform (`fetch`, `URL`, …) where an app uses them.
const SDK: &str = "node_modules/@vumi/sdk/package.json";
const GLOBALS: &str = "--inject:@vumi/sdk/globals";

/// Where npm comes from.
const HELP: &str = "install Node.js from https://nodejs.org";

/// Remembers, inside of `node_modules`, for which package.json and lockfile it was filled.
const STAMP: &str = ".vumi-host";

/// Installs what is missing and bundles the project; the answer is the script in the project's `dist`.
pub(super) fn build(folder: &Path) -> Result<PathBuf, BuildFailure> {
    let manifest = Manifest::read(folder)?;
    let progress = Progress::start(folder, "steps");
    let done = install(folder, &progress).and_then(|()| bundle(folder, &manifest, &progress));
    progress.end(done.as_ref().err().map(|failure| failure.output.as_str()).unwrap_or_default());
    done
}

/// Checks the types, where the project is TypeScript.
pub(super) fn check(folder: &Path) -> Result<(), BuildFailure> {
    if !folder.join("tsconfig.json").is_file() {
        return Ok(());
    }
    let progress = Progress::start(folder, "steps");
    progress.step("checking types");
    let compiler = tool(folder, "tsc", "typescript")?;
    let mut tsc = Command::new(compiler);
    tsc.args(["--noEmit", "--pretty", "false"]).current_dir(folder);
    // tsc writes its complaints to standard output.
    let mut output = String::new();
    let ended = tools::run(&mut tsc, HELP, &progress, |line| {
        output.push_str(line);
        output.push('\n');
    })?;
    output.push_str(&ended.output);
    if ended.status.success() {
        progress.end("");
        return Ok(());
    }
    if !progress.is_bar() {
        eprint!("{output}");
    }
    progress.end(&output);
    let error = Error::permanent(format!("{}: its types do not fit (see above)", folder.display()));
    Err(BuildFailure { error, output: output.trim().to_owned() })
}

/// `npm install`, where `node_modules` is missing or was filled for something else.
fn install(folder: &Path, progress: &Progress) -> Result<(), BuildFailure> {
    let stamp = folder.join("node_modules").join(STAMP);
    let wanted = manifest::fingerprint(folder);
    if std::fs::read_to_string(&stamp).is_ok_and(|filled| filled == wanted) {
        return Ok(());
    }
    progress.step("npm install");
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-audit", "--no-fund", "--loglevel", "error"]).current_dir(folder);
    let ended = tools::run(&mut npm, HELP, progress, |_| {})?;
    if !ended.status.success() {
        let error = Error::permanent(format!("{}: `npm install` failed (see above)", folder.display()));
        return Err(BuildFailure { error, output: ended.output.trim().to_owned() });
    }
    // npm may have written the lockfile. A stamp that cannot be kept costs another `npm install`, nothing else.
    let _ = std::fs::write(&stamp, manifest::fingerprint(folder));
    Ok(())
}

fn bundle(folder: &Path, manifest: &Manifest, progress: &Progress) -> Result<PathBuf, BuildFailure> {
    progress.step("esbuild");
    let script = folder.join("dist").join(format!("{}.mjs", manifest.name));
    let mut esbuild = Command::new(tool(folder, "esbuild", "esbuild")?);
    esbuild
        .arg(&manifest.entry)
        .args(["--bundle", "--format=esm", "--platform=neutral", "--target=es2022", "--main-fields=module,main"])
        .args(["--external:vumi:host", "--loader:.po=text", "--charset=utf8", "--sourcemap=linked"])
        .args(["--color=false", "--log-level=warning"])
        .arg(format!("--banner:js={FIRST_LINE}"))
        .arg(format!("--outfile=dist/{}.mjs", manifest.name))
        .current_dir(folder);
    if above(folder, SDK)?.is_some() {
        esbuild.arg(GLOBALS);
    }
    let ended = tools::run(&mut esbuild, HELP, progress, |_| {})?;
    if !ended.status.success() {
        let error = Error::permanent(format!("{}: the build failed (see above)", folder.display()));
        return Err(BuildFailure { error, output: ended.output.trim().to_owned() });
    }
    Ok(script)
}

/// A program of the project's `node_modules`, or of those of a folder above it, as in a workspace of npm.
fn tool(folder: &Path, program: &str, package: &str) -> Result<PathBuf> {
    above(folder, &format!("node_modules/.bin/{program}"))?.ok_or_else(|| {
        Error::permanent(format!(
            "{}: there is no {program} in its node_modules; run `npm install --save-dev {package}` there",
            folder.display()
        ))
    })
}

/// A file at this place below a folder, or below one that it is in.
fn above(folder: &Path, place: &str) -> Result<Option<PathBuf>> {
    let folder = std::path::absolute(folder)
        .map_err(|error| Error::permanent(format!("{} cannot be found", folder.display())).because(error))?;
    Ok(folder.ancestors().map(|above| above.join(place)).find(|file| file.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_of_a_folder_above_will_do() {
        let root = tempfile::tempdir().unwrap();
        let project = root.path().join("apps/shop");
        std::fs::create_dir_all(&project).unwrap();
        let error = tool(&project, "vumi-no-such-tool", "x").unwrap_err().to_string();
        assert!(error.ends_with("run `npm install --save-dev x` there"), "{error}");
        let bin = root.path().join("node_modules/.bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("vumi-no-such-tool"), "").unwrap();
        assert_eq!(tool(&project, "vumi-no-such-tool", "x").unwrap(), bin.join("vumi-no-such-tool"));
    }

    #[test]
    fn only_typescript_has_types_to_check() {
        let folder = tempfile::tempdir().unwrap();
        check(folder.path()).unwrap();
    }
}
