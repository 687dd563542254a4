//! `vumi:app/config`: texts that the app's owner configured (specification: sandbox, section 8).

use vumi_bindings::app::vumi::app::config::Host;

use crate::state::Guest;

impl Host for Guest {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        let began = self.begin()?;
        let value = self.app.config.get(&key).cloned();
        self.budget.end(began);
        Ok(value)
    }
}
