//! Apps of Vumi's JavaScript sandbox, run on the script engine (specification: sandbox, sections 2 to 8).
//!
//! `captures` replays the conversations that Python Vumi and vxsandbox were recorded to have with such apps; where the
//! rule for this host differs, `exceptions` says so and why. `checks` are the checks of the specification that need the
//! line protocol, under their numbers; `contacts` is what apps of Vumi Go had beyond it.

mod captures;
mod checks;
mod contacts;
mod exceptions;
mod rig;
