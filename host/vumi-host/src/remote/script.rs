//! A script on its way to a host: what its file's name and the map beside it said is put into its text, since a name does
//! not travel.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

/// The first line of a module.
const MODULE: &str = "// vumi-app: module";

/// What names the map of a bundle.
const MAP: &str = "//# sourceMappingURL=";

/// Whether a path names a script.
pub(super) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "mjs" || ending == "js")
}

/// The text of a script as a host takes it without a name. `map` is the source map beside it.
///
/// # Errors
/// Half a sentence for what is no text.
pub(super) fn nameless(path: &Path, bytes: Bytes, map: Option<Vec<u8>>) -> Result<Bytes, &'static str> {
    let text = std::str::from_utf8(&bytes).map_err(|_| "is no text, so it is no script")?;
    let is_module = path.extension().is_some_and(|ending| ending == "mjs");
    if !is_module {
        return Ok(bytes);
    }
    let marked = text.lines().next().is_some_and(|line| line.trim_end() == MODULE);
    let map = map.filter(|_| !text.contains("sourceMappingURL=data:"));
    if marked && map.is_none() {
        return Ok(bytes);
    }
    let mut out = String::with_capacity(text.len());
    if !marked {
        out.push_str(MODULE);
        out.push('\n');
    }
    match map.and_then(|map| inline(&map, !marked)) {
        Some(map) => {
            for line in text.lines().filter(|line| !line.starts_with(MAP)) {
                out.push_str(line);
                out.push('\n');
            }
            out.push_str(&map);
            out.push('\n');
        }
        None => out.push_str(text),
    }
    Ok(out.into())
}

/// The line that holds a map; `lower` when the text moved down by a line. The sources themselves are left out: places
/// are enough for traces, and their text is nobody's business.
fn inline(map: &[u8], lower: bool) -> Option<String> {
    let mut map: Value = serde_json::from_slice(map).ok()?;
    let fields = map.as_object_mut()?;
    fields.shift_remove("sourcesContent");
    let mappings = fields.get("mappings")?.as_str()?;
    if lower {
        let moved = format!(";{mappings}");
        fields.insert("mappings".to_owned(), moved.into());
    }
    Some(format!("{MAP}data:application/json;base64,{}", STANDARD.encode(map.to_string())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(name: &str, text: &str, map: Option<&str>) -> String {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let map = map.map(|map| map.as_bytes().to_vec());
        String::from_utf8(nameless(Path::new(name), bytes, map).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_module_says_that_it_is_one() {
        assert_eq!(sent("a.js", "api.x", None), "api.x");
        assert_eq!(sent("a.mjs", "export {}", None), "// vumi-app: module\nexport {}");
        assert_eq!(sent("a.mjs", "// vumi-app: module\nexport {}", None), "// vumi-app: module\nexport {}");
        assert!(nameless(Path::new("a.js"), Bytes::from_static(b"\xff"), None).is_err());
    }

    #[test]
    fn a_map_travels_within_the_bundle() {
        let map = r#"{"version":3,"sources":["a.ts"],"sourcesContent":["secret"],"mappings":"AAAA"}"#;
        let text = sent("a.mjs", "export {}\n//# sourceMappingURL=a.mjs.map\n", Some(map));
        let (code, data) = text.split_once("//# sourceMappingURL=data:application/json;base64,").unwrap();
        assert_eq!(code, "// vumi-app: module\nexport {}\n");
        let map: Value = serde_json::from_slice(&STANDARD.decode(data.trim_end()).unwrap()).unwrap();
        assert_eq!((&map["mappings"], map.get("sourcesContent")), (&Value::from(";AAAA"), None));
        let inline = "// vumi-app: module\n//# sourceMappingURL=data:application/json;base64,e30=";
        assert_eq!(sent("a.mjs", inline, Some("{}")), inline, "its own goes before");
    }
}
