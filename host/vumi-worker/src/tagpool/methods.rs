//! The methods of the API: what they are called, what they take and give, and their help (specification: tagpool,
//! section 3).

use super::types::{Param, Type};

/// One method.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) name: &'static str,
    pub(super) params: &'static [Param],
    pub(super) result: Type,
    result_help: &'static str,
    summary: &'static str,
}

const fn param(name: &'static str, kind: Type, help: &'static str) -> Param {
    Param { name, kind, null: false, optional: false, help }
}

const POOL: Param = param("pool", Type::Text, "Name of the pool.");
const TAG: Param = param("tag", Type::Tag, "The tag: [pool, name].");
const NAME: Param = param("method_name", Type::Text, "Name of the method.");
const OWNER: Param =
    Param { null: true, optional: true, ..param("owner", Type::Text, "Who is to hold the tag (or null).") };
const REASON: Param = Param {
    null: true,
    optional: true,
    ..param("reason", Type::Object, "Metadata on why the tag is being acquired (or null).")
};

const fn method(
    name: &'static str,
    params: &'static [Param],
    (result, result_help): (Type, &'static str),
    summary: &'static str,
) -> Method {
    Method { name, params, result, result_help, summary }
}

const NOTHING: (Type, &str) = (Type::Nothing, "Returns null.");

/// All methods.
pub(super) const METHODS: &[Method] = &[
    method(
        "acquire_tag",
        &[POOL, OWNER, REASON],
        (Type::Tag, "The tag acquired (or null if none was available)."),
        "Acquire a tag from the pool. Returns null if no tags are available.",
    ),
    method(
        "acquire_specific_tag",
        &[TAG, OWNER, REASON],
        (Type::Tag, "The tag acquired (or null if it was not available)."),
        "Acquire the specific tag. Returns null if the tag is not available.",
    ),
    method("release_tag", &[TAG], NOTHING, "Release the tag if it exists."),
    method(
        "declare_tags",
        &[param("tags", Type::Tags, "List of tags to declare.")],
        NOTHING,
        "Declare all of the tags listed.",
    ),
    method("get_metadata", &[POOL], (Type::Object, "The metadata."), "Retrieve the metadata of a pool."),
    method(
        "set_metadata",
        &[POOL, param("metadata", Type::Object, "Metadata to set.")],
        NOTHING,
        "Set the metadata of a pool, replacing all that it had.",
    ),
    method("purge_pool", &[POOL], NOTHING, "Delete all the tags and metadata of a pool."),
    method("list_pools", &[], (Type::List, "List of the names of the pools."), "Return a list of all pools."),
    method("free_tags", &[POOL], (Type::List, "List of free tags."), "Return a list of the pool's free tags."),
    method(
        "inuse_tags",
        &[POOL],
        (Type::List, "List of tags in use."),
        "Return a list of the pool's tags that are in use.",
    ),
    method(
        "acquired_by",
        &[TAG],
        (Type::List, "The owner and the reason (null and null if the tag is not in use)."),
        "Return who holds a tag, and why.",
    ),
    method(
        "owned_tags",
        &[Param { null: true, ..param("owner", Type::Text, "The owner (or null for tags without one).") }],
        (Type::List, "List of tags owned."),
        "Return a list of the tags that an owner holds.",
    ),
    method(
        "system.listMethods",
        &[],
        (Type::List, "List of the names of the methods."),
        "Return a list of the methods available.",
    ),
    method("system.methodHelp", &[NAME], (Type::Text, "The help text."), "Return the help text of a method."),
    method(
        "system.methodSignature",
        &[NAME],
        (Type::List, "List of signatures, each a list of the result's and the parameters' types."),
        "Return the signatures of a method.",
    ),
];

/// The method of this name.
pub(super) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}

impl Method {
    /// Types of the result and the parameters.
    pub(super) fn signature(&self) -> Vec<&'static str> {
        std::iter::once(self.result).chain(self.params.iter().map(|param| param.kind)).map(Type::wire_name).collect()
    }

    /// What it does, what it takes and gives.
    pub(super) fn help(&self) -> String {
        let mut lines = vec![self.summary.to_owned(), String::new()];
        for param in self.params {
            lines.push(format!(":param {} {}:", param.kind.help_name(), param.name));
            lines.push(format!("    {}", param.help));
        }
        lines.push(format!(":rtype {}:", self.result.help_name()));
        lines.push(format!("    {}", self.result_help));
        lines.join("\n")
    }
}
