//! What the catalog does not do, in one sentence each.

/// Why the catalog refused a change; trying again does not help.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CatalogRefusal {
    /// An app that is not there.
    #[error("there is no app `{app}`")]
    NoApp {
        /// Its name.
        app: String,
    },
    /// A version that is not there.
    #[error("the app `{app}` has no version {number}")]
    NoVersion {
        /// The app's name.
        app: String,
        /// The version.
        number: u32,
    },
    /// Somebody else changed the app since the caller looked at it.
    #[error("the app `{app}` has changed meanwhile (generation {found}, not {expected}): look at it again and repeat")]
    Changed {
        /// The app's name.
        app: String,
        /// Its generation.
        found: u64,
        /// What the caller took its generation for.
        expected: u64,
    },
    /// A roll-back without an aim.
    #[error("the app `{app}` has no version to go back to: activate one by its number")]
    NoPrevious {
        /// The app's name.
        app: String,
    },
    /// A share that is none.
    #[error("the share of a canary must be 1 to 10000 of ten thousand conversations, not {share}")]
    Share {
        /// The share.
        share: u32,
    },
    /// The active version has a role already that excludes all others.
    #[error("version {number} of the app `{app}` is the active one and cannot be {role} as well")]
    IsActive {
        /// The app's name.
        app: String,
        /// The version.
        number: u32,
        /// What it was to become.
        role: VersionRole,
    },
    /// A version that cannot be removed.
    #[error("version {number} of the app `{app}` is {role} and cannot be removed: {} first", role.end())]
    InUse {
        /// The app's name.
        app: String,
        /// The version.
        number: u32,
        /// What it is.
        role: VersionRole,
    },
}

/// What a version of an app can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionRole {
    /// It answers.
    Active,
    /// It answers a share.
    Canary,
    /// It runs beside the active one.
    Shadow,
}

impl VersionRole {
    /// How to take the role away.
    fn end(self) -> &'static str {
        match self {
            Self::Active => "activate another one",
            Self::Canary => "end the canary",
            Self::Shadow => "end the shadow",
        }
    }
}

impl std::fmt::Display for VersionRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Active => "the active one",
            Self::Canary => "the canary",
            Self::Shadow => "the shadow",
        })
    }
}
