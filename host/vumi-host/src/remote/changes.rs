//! Changes of an app's settings: what a file and the options of the command line say, laid over what the app has.

use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value, json};
use vumi_core::Error;
use vumi_core::bindings::Binding;

use crate::cli::SettingsOptions;
use crate::commands::Failure;

/// The largest file of settings in bytes.
const LARGEST: u64 = 64 << 10;

/// The settings of an app.
pub(crate) type Settings = Map<String, Value>;

/// What is to change.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    file: Settings,
    options: Settings,
}

impl Changes {
    /// Reads the file, if there is one, and looks at the options.
    pub(crate) fn of(file: Option<&Path>, options: &SettingsOptions) -> Result<Self, Failure> {
        let file = file.map(read).transpose()?.unwrap_or_default();
        Ok(Self { file, options: of_options(options)? })
    }

    /// Whether nothing is to change.
    pub(crate) fn is_empty(&self) -> bool {
        self.file.is_empty() && self.options.is_empty()
    }

    /// The settings as they are then.
    pub(crate) fn over(self, mut settings: Settings) -> Settings {
        lay(&mut settings, self.file);
        lay(&mut settings, self.options);
        settings
    }
}

/// Maps are laid over maps key by key, everything else is replaced, and null removes (as in RFC 7396).
fn lay(below: &mut Settings, above: Settings) {
    for (key, value) in above {
        match value {
            Value::Null => {
                below.shift_remove(&key);
            }
            Value::Object(above) => {
                let place = below.entry(key).or_insert(Value::Null);
                if !place.is_object() {
                    *place = Value::Object(Map::new());
                }
                if let Value::Object(below) = place {
                    lay(below, above);
                }
            }
            value => {
                below.insert(key, value);
            }
        }
    }
}

fn of_options(options: &SettingsOptions) -> Result<Settings, Failure> {
    let mut settings = Settings::new();
    if !options.to.is_empty() {
        let bindings: Result<Vec<Value>, String> =
            options.to.iter().map(|text| binding(text).map(|one| shown(&one))).collect();
        settings.insert("bindings".into(), Value::Array(bindings.map_err(Failure::Usage)?));
    }
    if !options.set.is_empty() {
        let config = options.set.iter().map(|(key, value)| (key.clone(), value.as_str().into()));
        settings.insert("config".into(), Value::Object(config.collect()));
    }
    if !options.allow_http.is_empty() {
        settings.insert("http".into(), json!({ "allow": options.allow_http }));
    }
    Ok(settings)
}

/// A binding in JSON, with the keys that it has.
fn shown(binding: &Binding) -> Value {
    let keys =
        [("transport_name", &binding.transport_name), ("to_addr", &binding.to_addr), ("keyword", &binding.keyword)];
    let given = keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.as_deref()?.into())));
    Value::Object(given.collect())
}

/// A binding as it stands on the command line: parts set apart by commas, each `transport=NAME`, `to=ADDRESS`,
/// `keyword=WORD`, or an address alone.
fn binding(text: &str) -> Result<Binding, String> {
    let mut binding = Binding::default();
    for part in text.split(',').map(str::trim) {
        let (place, value) = match part.split_once('=') {
            None => (&mut binding.to_addr, part),
            Some(("to" | "to_addr", value)) => (&mut binding.to_addr, value),
            Some(("transport" | "transport_name", value)) => (&mut binding.transport_name, value),
            Some(("keyword", value)) => (&mut binding.keyword, value),
            Some((key, _)) => {
                return Err(format!("--to `{text}`: `{key}` is none of transport, to and keyword"));
            }
        };
        if value.is_empty() {
            return Err(format!("--to `{text}`: there is nothing between two commas, or behind a `=`"));
        }
        if place.replace(value.to_owned()).is_some() {
            return Err(format!(
                "--to `{text}` says the same thing twice: several ways to reach an app are several --to"
            ));
        }
    }
    Ok(binding)
}

fn read(path: &Path) -> Result<Settings, Failure> {
    let unreadable = |error| Error::permanent(format!("{} cannot be read", path.display())).because(error);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let wrong = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    if bytes.len() as u64 > LARGEST {
        return Err(wrong(format!("is larger than {LARGEST} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong("is no text".into()))?;
    from_yaml(&text).map_err(wrong)
}

fn from_yaml(text: &str) -> Result<Settings, String> {
    let value: Value = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    match value {
        Value::Object(settings) => Ok(settings),
        Value::Null => Ok(Settings::new()),
        _ => Err("holds no settings: write a map, such as `config: { shop_name: Kiosk }`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(value: Value) -> Settings {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn bindings_are_addresses_or_named_parts() {
        for (text, expected) in [
            ("*120*7#", json!({ "to_addr": "*120*7#" })),
            ("transport=telnet", json!({ "transport_name": "telnet" })),
            ("to=a=b", json!({ "to_addr": "a=b" })),
            ("8123, keyword=join", json!({ "to_addr": "8123", "keyword": "join" })),
            (
                "transport_name=sms,to_addr=8123,keyword=join",
                json!({ "transport_name": "sms", "to_addr": "8123", "keyword": "join" }),
            ),
        ] {
            let read = binding(text).unwrap();
            assert_eq!(shown(&read), expected, "{text}");
            assert_eq!(serde_json::from_value::<Binding>(expected).unwrap(), read, "{text}: as the host reads it");
        }
        for (wrong, part) in [
            ("", "nothing between"),
            ("8123,", "nothing between"),
            ("to=", "behind a `=`"),
            ("tp=telnet", "`tp` is none of"),
            ("8123,8124", "the same thing twice"),
            ("8123,to=8124", "the same thing twice"),
        ] {
            assert!(binding(wrong).unwrap_err().contains(part), "{wrong}");
        }
    }

    #[test]
    fn changes_are_laid_over_what_there_is() {
        let before = settings(json!({
            "bindings": [{ "to_addr": "1" }],
            "config": { "a": "1", "b": "2" },
            "http": { "allow": ["https://old.example"] },
            "limits": { "memory": "32MiB" },
        }));
        let file = from_yaml("config: { b: '3', c: '4', a: null }\nlimits: null\nparallel: 7\n").unwrap();
        let options = SettingsOptions {
            to: vec!["*120*7#".into(), "keyword=x".into()],
            set: vec![("c".into(), "5".into())],
            allow_http: vec!["https://new.example".into()],
        };
        let changes = Changes { file, options: of_options(&options).unwrap() };
        assert_eq!(
            Value::Object(changes.over(before.clone())),
            json!({
                "bindings": [{ "to_addr": "*120*7#" }, { "keyword": "x" }],
                "config": { "b": "3", "c": "5" },
                "http": { "allow": ["https://new.example"] },
                "parallel": 7,
            })
        );
        let nothing = Changes::of(None, &SettingsOptions::default()).unwrap();
        assert!(nothing.is_empty());
        assert_eq!(nothing.over(before.clone()), before);
    }

    #[test]
    fn a_map_takes_the_place_of_what_is_none_and_keeps_no_null() {
        let mut below = settings(json!({ "a": 1 }));
        lay(&mut below, settings(json!({ "a": { "b": null, "c": 2 }, "d": { "e": { "f": null } } })));
        assert_eq!(Value::Object(below), json!({ "a": { "c": 2 }, "d": { "e": {} } }));
    }

    #[test]
    fn a_wrong_file_is_refused_with_its_place() {
        assert!(from_yaml("- 1\n").unwrap_err().contains("write a map"));
        assert!(from_yaml("a: 1\na: 2\n").is_err());
        let broken = from_yaml("a: [1\nb: 2\n").unwrap_err();
        assert!(broken.contains("line"), "{broken}");
        assert_eq!(from_yaml("").unwrap(), Settings::new());
        let missing = Changes::of(Some(Path::new("/no/such/file.yaml")), &SettingsOptions::default()).unwrap_err();
        assert!(missing.to_string().contains("/no/such/file.yaml cannot be read"));
    }
}
