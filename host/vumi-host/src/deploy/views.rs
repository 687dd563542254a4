//! From the catalog's records to the words of the API, and back.

use vumi_admin::model::{
    CanaryInfo, DeploymentInfo, DifferenceView, RecordingInfo, RunOutcome, SecretInfo, VersionInfo,
};
use vumi_core::{AppRecord, Canary, Difference, Outcome, Recording, SealedSecret, VersionRecord};

use super::settings::object;
use crate::views::micros;

/// A hundredth of a percent is one of ten thousand.
const PER_PERCENT: f64 = 100.0;

pub(super) fn version(record: VersionRecord) -> VersionInfo {
    VersionInfo {
        number: record.number,
        hash: record.hash,
        bytes: record.bytes,
        created_at: micros(record.created_at),
        created_by: record.created_by,
        note: record.note,
        source: record.source,
    }
}

pub(super) fn app(record: AppRecord, versions: Vec<VersionRecord>, secrets: Vec<SealedSecret>) -> DeploymentInfo {
    let secret = |secret: SealedSecret| SecretInfo { name: secret.name, updated_at: micros(secret.updated_at) };
    DeploymentInfo {
        name: record.name,
        generation: record.generation,
        active: record.active,
        previous: record.previous,
        canary: record
            .canary
            .map(|canary| CanaryInfo { version: canary.version, percent: f64::from(canary.share) / PER_PERCENT }),
        shadow: record.shadow,
        settings: object(&record.settings),
        secrets: secrets.into_iter().map(secret).collect(),
        versions: versions.into_iter().map(version).collect(),
        warnings: Vec::new(),
        created_at: micros(record.created_at),
        updated_at: micros(record.updated_at),
    }
}

/// A share of ten thousand; `None` when the percentage makes no sense.
pub(super) fn canary(info: CanaryInfo) -> Option<Canary> {
    let share = (info.percent * PER_PERCENT).round();
    // The range makes the conversion exact.
    (1.0..=10_000.0).contains(&share).then_some(Canary { version: info.version, share: share as u32 })
}

pub(super) fn difference(found: Difference) -> DifferenceView {
    DifferenceView {
        seq: found.seq,
        at: micros(found.at),
        live_version: found.live_version,
        shadow_version: found.shadow_version,
        message_id: found.message_id,
        user: found.user,
        kind: found.kind,
        live: found.live,
        shadow: found.shadow,
    }
}

pub(super) fn recording(record: &Recording) -> RecordingInfo {
    let ok = record.outcome == Outcome::Ok;
    RecordingInfo {
        id: record.id.clone(),
        at: micros(record.at),
        app: record.app.clone(),
        version: record.version,
        hash: record.hash.clone(),
        message_id: record.message_id.clone(),
        user: record.user.clone(),
        outcome: if ok { RunOutcome::Ok } else { RunOutcome::Failed },
        reason: (!ok).then(|| record.outcome.code().to_owned()),
        sent: record.sent,
        cpu_us: record.cpu_us,
        wall_us: record.wall_us,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_a_share_of_ten_thousand() {
        let share = |percent| canary(CanaryInfo { version: 2, percent }).map(|canary| canary.share);
        assert_eq!((share(0.01), share(33.33), share(100.0)), (Some(1), Some(3_333), Some(10_000)));
        for bad in [0.0, 0.004, -1.0, 100.01, f64::NAN, f64::INFINITY] {
            assert_eq!(share(bad), None, "{bad}");
        }
    }
}
