//! `vumi:app/config`: texts that the app's owner configured (specification: sandbox, section 8).

use vumi_bindings::app::vumi::app::config::Host;

use crate::state::Guest;

impl Host for Guest {
    fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        self.listen("config.get", || vec![key.as_str().into()])?;
        let answer = self.config_value(&key);
        self.note(&answer);
        answer
    }
}

impl Guest {
    fn config_value(&mut self, key: &str) -> wasmtime::Result<Option<String>> {
        let began = self.begin()?;
        let value = self.app.config.get(key).cloned();
        self.budget.end(began);
        Ok(value)
    }
}
