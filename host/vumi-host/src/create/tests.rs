//! What a new project is made of.

use super::*;

fn made(template: Template) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("my-shop"), "my-shop", template, Some(Path::new("/opt/vumi \"host\"/sdk"))).unwrap();
    folder
}

fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push((entry.path(), std::fs::read_to_string(entry.path()).unwrap()));
        }
    }
    found
}

#[test]
fn every_template_is_complete_and_filled_in() {
    for template in [Template::Rust, Template::Js, Template::Ts] {
        let folder = made(template);
        let project = folder.path().join("my-shop");
        let files = files(&project);
        for (path, text) in &files {
            assert!(!text.contains("{{"), "{}: something was not filled in", path.display());
            assert!(!path.to_string_lossy().contains(".template"), "{}", path.display());
        }
        let manifest = if template == Template::Rust { "Cargo.toml" } else { "package.json" };
        for wanted in ["README.md", ".gitignore", manifest] {
            assert!(project.join(wanted).is_file(), "{template:?} has no {wanted}");
        }
        let tests = files.iter().filter(|(path, _)| path.starts_with(project.join("tests")));
        assert!(tests.count() > 0, "{template:?} has no conversation tests");
        assert_eq!(project.join("tsconfig.json").is_file(), template == Template::Ts);
    }
}

#[test]
fn a_path_with_quotes_stays_a_text_of_the_manifest() {
    let folder = made(Template::Js);
    let manifest = std::fs::read_to_string(folder.path().join("my-shop/package.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["name"], "my-shop");
    assert_eq!(manifest["dependencies"]["@vumi/sdk"], "file:/opt/vumi \"host\"/sdk");
    assert!(manifest["devDependencies"]["esbuild"].is_string());
}

#[test]
fn the_rust_sdk_is_packed_with_its_contract() {
    let paths: Vec<&str> = packed::sdk(Template::Rust).iter().map(|(path, _)| *path).collect();
    for wanted in ["Cargo.toml", "src/lib.rs", "wit/types.wit", "wit/handler.wit"] {
        assert!(paths.contains(&wanted), "{wanted} is missing: {paths:?}");
    }
    assert!(!paths.iter().any(|path| path.starts_with("target")), "{paths:?}");
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("shop");
    std::fs::create_dir(&place).unwrap();
    let given = New { folder: place.clone(), template: Template::Rust, sdk: None };
    let Err(Failure::Usage(error)) = execute(&given) else { panic!("it was made") };
    assert!(error.contains("is there already"), "{error}");
    assert_eq!(std::fs::read_dir(place).unwrap().count(), 0);
}

#[test]
fn a_checkout_without_the_sdk_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = sdk_of(folder.path(), Template::Rust).unwrap_err();
    assert!(error.contains("has no sdk/rust"), "{error}");
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert!(sdk_of(&repository, Template::Rust).unwrap().ends_with("sdk/rust"));
    assert!(sdk_of(&repository.join("sdk/rust"), Template::Rust).unwrap().ends_with("sdk/rust"));
}
