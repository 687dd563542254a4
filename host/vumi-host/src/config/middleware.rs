//! From the list `middleware` of a worker to its stack.

use vumi_core::middleware_config::MiddlewareList;
use vumi_core::{Context, Error, Placed, Result, Stack};
use vumi_dispatch::MiddlewareConfig;

/// Builds the middleware of a worker, in configuration order.
///
/// # Errors
/// One sentence that names the instance: a class that is not known, options that make no sense. What came from a
/// checked [`super::SystemConfig`] does not fail here.
pub fn stack(list: &MiddlewareList, context: &Context) -> Result<Stack> {
    let mut placed = Vec::with_capacity(list.entries().len());
    for entry in list.entries() {
        let wrong = |reason: String| Error::permanent(format!("middleware `{}`: {reason}", entry.name));
        let configured = MiddlewareConfig::read(list.component(entry)).map_err(|error| wrong(error.to_string()))?;
        // A worker can have two of a class: each goes by a name of its own.
        let context = context.of(&format!("{}.{}", context.name, entry.name));
        placed.push(Placed {
            middleware: configured.component.build(&context).map_err(|error| wrong(error.report()))?,
            consume_priority: entry.consume_priority,
            publish_priority: entry.publish_priority,
        });
    }
    Ok(Stack::new(placed))
}
