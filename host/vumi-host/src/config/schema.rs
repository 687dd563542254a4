//! The JSON schema of the file, from the doc comments and types of the configuration structs.
//!
//! The classes of a section are alternatives, told apart by `class`. Each has its own keys and those that its kind
//! shares, as one flat map, the way the file has them.

use std::sync::OnceLock;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use vumi_core::component::Kind;
use vumi_dispatch::{DispatcherShared, MiddlewareConfig, RouterConfig};
use vumi_sandbox::AppConfig;
use vumi_transport::{TransportConfig, TransportShared};
use vumi_worker::{ApplicationShared, WorkerConfig, WorkerShared};

use super::app::AppAround;
use super::file::File;
use super::js::app_kinds;

/// JSON schema (draft 2020-12) of the whole file, for editors and for the reference pages.
pub fn schema() -> Value {
    shared_schema().clone()
}

/// The schema, made once.
pub(crate) fn shared_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut root = schemars::schema_for!(File).to_value();
        if let Some(map) = root.as_object_mut() {
            map.insert("title".to_owned(), json!("vumi-host configuration"));
        }
        // The sections are lists of pairs in the struct and maps in the file.
        for section in ["transports", "dispatchers", "apps", "workers"] {
            if let Some(default) = root.pointer_mut(&format!("/properties/{section}/default")) {
                *default = json!({});
            }
        }
        root
    })
}

pub(crate) fn transports(generator: &mut SchemaGenerator) -> Schema {
    let shared = schemars::schema_for!(TransportShared).to_value();
    section(generator, "transport", TransportConfig::KINDS, shared, true)
}

pub(crate) fn dispatchers(generator: &mut SchemaGenerator) -> Schema {
    let shared = schemars::schema_for!(DispatcherShared).to_value();
    section(generator, "dispatcher", RouterConfig::KINDS, shared, true)
}

pub(crate) fn workers(generator: &mut SchemaGenerator) -> Schema {
    let shared = schemars::schema_for!(WorkerShared).to_value();
    section(generator, "worker", WorkerConfig::KINDS, shared, false)
}

/// A guest, or a class of the host's own.
pub(crate) fn apps(generator: &mut SchemaGenerator) -> Schema {
    let shared = schemars::schema_for!(ApplicationShared).to_value();
    let mut apps = section(generator, "app", app_kinds(), shared, true).to_value();
    let other = middleware_options(generator);
    let mut around = schemars::schema_for!(AppAround).to_value();
    name_middleware(&mut around);
    let around = lifted(around, "app.guest", generator);
    let mut guest = lifted(schemars::schema_for!(AppConfig).to_value(), "app.guest", generator);
    let extra = around.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(properties) = guest.get_mut("properties").and_then(Value::as_object_mut) {
        properties.extend(extra);
    }
    if let Some(map) = guest.as_object_mut() {
        map.insert("additionalProperties".to_owned(), other);
        map.insert("title".to_owned(), json!("a guest"));
    }
    define(generator, "app.guest", guest);
    if let Some(forms) = apps.pointer_mut("/additionalProperties/oneOf").and_then(Value::as_array_mut) {
        forms.insert(0, json!({ "$ref": "#/$defs/app.guest" }));
    }
    object(apps)
}

/// What keys may hold that are named by a list `middleware`.
fn middleware_options(generator: &mut SchemaGenerator) -> Value {
    let mut options = Vec::new();
    for kind in MiddlewareConfig::KINDS {
        let name = format!("middleware.{}", kind.class);
        if !generator.definitions().contains_key(&name) {
            let own = lifted((kind.schema)().to_value(), &name, generator);
            define(generator, &name, own);
        }
        options.push(json!({ "$ref": format!("#/$defs/{name}") }));
    }
    json!({ "anyOf": options, "description": "Options of the middleware that the list `middleware` names so." })
}

fn section(generator: &mut SchemaGenerator, what: &str, kinds: &[Kind], mut shared: Value, middleware: bool) -> Schema {
    let other = if middleware { middleware_options(generator) } else { json!(false) };
    name_middleware(&mut shared);
    let shared = lifted(shared, what, generator);
    let mut classes = Vec::new();
    for kind in kinds {
        let name = format!("{what}.{}", kind.class);
        let own = lifted((kind.schema)().to_value(), &name, generator);
        define(generator, &name, joined(kind, own, &shared, &other));
        classes.push(json!({ "$ref": format!("#/$defs/{name}") }));
    }
    object(json!({ "type": "object", "additionalProperties": { "oneOf": classes }, "default": {} }))
}

/// One class: `class`, its own keys, the shared ones.
fn joined(kind: &Kind, own: Value, shared: &Value, other: &Value) -> Value {
    let keys = |schema: &Value| schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut names = vec![kind.class];
    names.extend(kind.aliases);
    let text = "Which kind this is: the short name or Vumi's class path. It must be the first key.";
    let class = match names.as_slice() {
        [only] => json!({ "const": only, "description": text }),
        several => json!({ "enum": several, "description": text }),
    };
    let mut properties = Map::from_iter([("class".to_owned(), class)]);
    properties.extend(keys(&own));
    for (key, value) in keys(shared) {
        properties.entry(key).or_insert(value);
    }
    let mut required = vec![json!("class")];
    required.extend(own.get("required").and_then(Value::as_array).cloned().unwrap_or_default());
    let mut schema = json!({
        "title": kind.class,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": other,
    });
    if let (Some(description), Some(map)) = (own.get("description"), schema.as_object_mut()) {
        map.insert("description".to_owned(), description.clone());
    }
    schema
}

/// Moves a schema's own definitions to the root, under names that begin with `prefix`, so that two classes may each
/// have a type of the same name.
fn lifted(mut schema: Value, prefix: &str, generator: &mut SchemaGenerator) -> Value {
    let Some(map) = schema.as_object_mut() else { return schema };
    map.remove("$schema");
    map.remove("title");
    let definitions = map.remove("$defs");
    rename(&mut schema, prefix);
    if let Some(Value::Object(definitions)) = definitions {
        for (name, mut definition) in definitions {
            rename(&mut definition, prefix);
            define(generator, &format!("{prefix}.{name}"), definition);
        }
    }
    schema
}

fn define(generator: &mut SchemaGenerator, name: &str, schema: Value) {
    generator.definitions_mut().insert(name.to_owned(), schema);
}

fn rename(value: &mut Value, prefix: &str) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match inner {
                    Value::String(target) if key == "$ref" => {
                        if let Some(name) = target.strip_prefix("#/$defs/") {
                            *target = format!("#/$defs/{prefix}.{name}");
                        }
                    }
                    inner => rename(inner, prefix),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, prefix)),
        _ => {}
    }
}

/// Tells the list of middleware which classes there are.
fn name_middleware(shared: &mut Value) {
    let all: Vec<&str> = MiddlewareConfig::KINDS
        .iter()
        .flat_map(|kind| std::iter::once(&kind.class).chain(kind.aliases))
        .copied()
        .collect();
    let named = json!({ "type": "string", "enum": all });
    let forms =
        find_mut(shared, "MiddlewareList").and_then(|list| list.pointer_mut("/items/additionalProperties/anyOf"));
    for form in forms.and_then(Value::as_array_mut).into_iter().flatten() {
        match form.pointer_mut("/properties/class") {
            Some(class) => *class = named.clone(),
            None => *form = named.clone(),
        }
    }
}

fn find_mut<'a>(schema: &'a mut Value, definition: &str) -> Option<&'a mut Value> {
    schema.get_mut("$defs")?.get_mut(definition)
}

fn object(value: Value) -> Schema {
    match value {
        Value::Object(map) => Schema::from(map),
        _ => Schema::default(),
    }
}

/// Follows `$ref`s. References in these schemas form no circles, and the bound keeps it so.
pub(crate) fn resolve<'a>(mut schema: &'a Value, root: &'a Value) -> &'a Value {
    for _ in 0..16 {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix("#/$defs/"));
        match target.and_then(|name| root.get("$defs")?.get(name)) {
            Some(next) => schema = next,
            None => return schema,
        }
    }
    schema
}

/// The alternatives of a schema, references followed. Of classes, only the one that `class` names, if it is given.
pub(crate) fn branches<'a>(schema: &'a Value, root: &'a Value, class: Option<&str>) -> Vec<&'a Value> {
    let schema = resolve(schema, root);
    let alternatives = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema.get(*key).and_then(Value::as_array));
    let Some(alternatives) = alternatives else { return vec![schema] };
    let mut all: Vec<&Value> = alternatives.iter().flat_map(|one| branches(one, root, class)).collect();
    if let Some(class) = class {
        all.retain(|branch| classes(branch).is_none_or(|names| names.contains(&class)));
    }
    all
}

/// The names of the class that a schema describes; `None` for what has no class.
pub(crate) fn classes(schema: &Value) -> Option<Vec<&str>> {
    let class = schema.get("properties")?.get("class")?;
    match class.get("const").and_then(Value::as_str) {
        Some(only) => Some(vec![only]),
        None => class.get("enum")?.as_array().map(|names| names.iter().filter_map(Value::as_str).collect()),
    }
}
