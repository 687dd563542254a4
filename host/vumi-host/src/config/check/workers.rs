//! Each worker by itself.

use super::Report;
use crate::config::system::SystemConfig;

pub(super) fn check(config: &SystemConfig, report: &mut Report<'_>) {
    for (name, worker) in &config.workers {
        if let Err(error) = worker.component.check(&worker.shared) {
            let help = format!("see `vumi-host config explain {}`", worker.component.class());
            report.wrong_key(&["workers", name], error.report(), help);
        }
    }
}
