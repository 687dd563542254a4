//! Which test files belong to which app.
//!
//! A project has its tests in `tests/*.yaml`; a test file is about the project above its folder `tests`; and `--app`
//! names another app for whatever files there are.

use std::path::{Path, PathBuf};

use vumi_core::Error;

use crate::commands::Failure;

/// What a project's tests stand in.
const TESTS: &str = "tests";

/// An app and its test files.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) app: PathBuf,
    pub(super) files: Vec<PathBuf>,
}

/// Which files are to be played against which app, in the order in which they were named.
pub(super) fn groups(paths: &[PathBuf], app: Option<&Path>) -> Result<Vec<Group>, Failure> {
    let mut groups: Vec<Group> = Vec::new();
    for path in paths {
        let (owner, files) = if path.is_dir() {
            folder(path, app)?
        } else if is_test(path) {
            (owner(path, app)?, vec![path.clone()])
        } else {
            let what =
                if path.exists() { "is no test file: these end in .yaml" } else { "there is no such file or folder" };
            return Err(Failure::Usage(format!(
                "{}: {what}\n= help: name a project's folder, or test files and the app with --app",
                path.display()
            )));
        };
        match groups.iter_mut().find(|group| group.app == owner) {
            Some(group) => group.files.extend(files),
            None => groups.push(Group { app: owner, files }),
        }
    }
    Ok(groups)
}

fn is_test(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

/// The app of a test file: the folder above `tests`.
fn owner(file: &Path, app: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(app) = app {
        return Ok(app.to_owned());
    }
    // The folder of `menu.yaml` is seen from within it.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    if whole.file_name().is_some_and(|name| name == TESTS) {
        let above = folder.parent().filter(|above| !above.as_os_str().is_empty() && folder.ends_with(TESTS));
        return Ok(above.map_or_else(|| folder.join(".."), Path::to_owned));
    }
    Err(Failure::Usage(format!(
        "{}: which app is this a test of?\n= help: name it with --app, or put the file into the folder `{TESTS}` of its project",
        file.display()
    )))
}

/// The app and the test files of a folder: of a project, or one with test files in it.
fn folder(path: &Path, app: Option<&Path>) -> Result<(PathBuf, Vec<PathBuf>), Failure> {
    let (tests, owner) = match path.join(TESTS) {
        tests if tests.is_dir() => (tests, app.unwrap_or(path).to_owned()),
        _ => {
            let files = files(path)?;
            let first = files.first().ok_or_else(|| none(path, &path.join(TESTS)))?;
            return Ok((owner(first, app)?, files));
        }
    };
    let files = files(&tests)?;
    if files.is_empty() { Err(none(path, &tests)) } else { Ok((owner, files)) }
}

fn none(path: &Path, tests: &Path) -> Failure {
    Failure::Usage(format!(
        "{}: has no tests\n= help: put them into {}, as files that end in .yaml",
        path.display(),
        tests.display()
    ))
}

/// The test files in a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Error::permanent(format!("{} cannot be read", folder.display())).because(error);
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| is_test(path) && path.is_file()).collect();
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_find_their_app() {
        let base = tempfile::tempdir().unwrap();
        let project = base.path().join("shop");
        std::fs::create_dir_all(project.join(TESTS)).unwrap();
        for name in ["b.yaml", "a.yaml", "notes.txt"] {
            std::fs::write(project.join(TESTS).join(name), "").unwrap();
        }
        let file = |name: &str| project.join(TESTS).join(name);
        let whole = Group { app: project.clone(), files: vec![file("a.yaml"), file("b.yaml")] };
        assert_eq!(groups(std::slice::from_ref(&project), None).unwrap(), [whole]);
        assert_eq!(groups(&[project.join(TESTS)], None).unwrap()[0].app, project);
        let two = groups(&[file("b.yaml"), file("a.yaml")], None).unwrap();
        assert_eq!(two, [Group { app: project.clone(), files: vec![file("b.yaml"), file("a.yaml")] }]);
        let named = groups(&[file("a.yaml")], Some(Path::new("shop.wasm"))).unwrap();
        assert_eq!(named[0].app, Path::new("shop.wasm"));
    }

    #[test]
    fn what_is_no_test_gets_one_sentence() {
        let base = tempfile::tempdir().unwrap();
        let refused = |path: PathBuf| groups(&[path], None).unwrap_err().to_string();
        assert!(refused(base.path().to_owned()).contains("has no tests"));
        assert!(refused(base.path().join("x.yml")).contains("which app is this a test of?"));
        assert!(refused(base.path().join("x.wasm")).contains("there is no such file or folder"));
    }
}
