//! One visible list per kind of component.
//!
//! ```ignore
//! registry! {
//!     pub enum RouterConfig("dispatcher"), shared DispatcherShared, checked by (&DispatcherShared) -> (), built by RouterComponent(Place<'_>) -> Arc<dyn Router> {
//!         Simple => routers::SimpleConfig,
//!     }
//! }
//! ```
//!
//! makes an enum with one variant per class, reads it from a map whose first key is `class` (short name or Vumi's
//! class path), builds it through the named trait, and lists the classes as `RouterConfig::KINDS`, which the command
//! line, the documentation and the tests iterate. Adding a class is one line.

/// See the module's text.
#[macro_export]
macro_rules! registry {
    ($(#[$meta:meta])* $vis:vis enum $Name:ident($what:literal), shared $Shared:ty, checked by ($Check:ty) -> $Checked:ty, built by $Trait:ident($Given:ty) -> $Built:ty { $($(#[$vmeta:meta])* $Variant:ident => $Config:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        $vis enum $Name {
            $($(#[$vmeta])* $Variant($Config)),+
        }

        impl $Name {
            /// All classes, in the order of the list.
            pub const KINDS: &'static [$crate::component::Kind] = &[
                $($crate::component::Kind {
                    class: <$Config as $crate::component::Component>::CLASS,
                    aliases: <$Config as $crate::component::Component>::ALIASES,
                    example: <$Config as $crate::component::Component>::EXAMPLE,
                    schema: || ::schemars::schema_for!($Config),
                }),+
            ];

            /// The short name of the class.
            pub fn class(&self) -> &'static str {
                match self {
                    $(Self::$Variant(_) => <$Config as $crate::component::Component>::CLASS),+
                }
            }

            /// Looks for mistakes that can be seen without building anything.
            ///
            /// # Errors
            /// One sentence for a configuration that makes no sense.
            pub fn check(&self, given: $Check) -> $crate::Result<$Checked> {
                match self {
                    $(Self::$Variant(config) => $Trait::check(config, given)),+
                }
            }

            /// Builds the component that is configured.
            ///
            /// # Errors
            /// One sentence for a configuration that makes no sense.
            pub fn build(self, given: $Given) -> $crate::Result<$Built> {
                match self {
                    $(Self::$Variant(config) => $Trait::build(config, given)),+
                }
            }

            /// Reads a whole map: `class`, the class's own keys and the shared ones.
            ///
            /// # Errors
            /// Those of the format, with their position.
            pub fn read<'de, D: ::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::std::result::Result<$crate::component::Configured<$Shared, $Name>, D::Error> {
                struct Visitor;
                impl<'de> ::serde::de::Visitor<'de> for Visitor {
                    type Value = $crate::component::Configured<$Shared, $Name>;

                    fn expecting(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(concat!("a ", $what, ": a map that begins with `class`"))
                    }

                    fn visit_map<A: ::serde::de::MapAccess<'de>>(self, mut map: A) -> ::std::result::Result<Self::Value, A::Error> {
                        let class = $crate::component::read_class(&mut map, $what)?;
                        let mut shared = <$Shared>::default();
                        $(
                            let kind = $crate::component::Kind {
                                class: <$Config as $crate::component::Component>::CLASS,
                                aliases: <$Config as $crate::component::Component>::ALIASES,
                                example: <$Config as $crate::component::Component>::EXAMPLE,
                                schema: || ::schemars::schema_for!($Config),
                            };
                            if kind.is_called(&class) {
                                let split = $crate::component::Split::new(map, &mut shared);
                                let own = <$Config as ::serde::Deserialize>::deserialize(
                                    ::serde::de::value::MapAccessDeserializer::new(split),
                                )?;
                                return Ok($crate::component::Configured { shared, component: $Name::$Variant(own) });
                            }
                        )+
                        Err($crate::component::unknown_class($what, &class, $Name::KINDS))
                    }
                }
                deserializer.deserialize_map(Visitor)
            }
        }
    };
}
