//! The wiring of vumi-host: command line, configuration, and a system made of everything that a configuration names.
//!
//! This crate knows all others and does nothing that they could do: it reads the configuration, opens the broker and
//! the stores, builds transports, dispatchers and apps, starts them, and stops them in order. It alone reads the
//! environment.

mod access;
mod apps;
mod backends;
mod banner;
mod board;
mod build;
pub mod cli;
pub mod commands;
pub mod config;
mod control;
mod create;
mod dead;
mod deploy;
mod drawing;
mod make;
mod oci;
mod parts;
mod project;
mod rehearse;
mod reload;
mod remote;
mod replay;
mod script_engine;
pub mod seal;
pub mod system;
mod telemetry;
mod views;
mod workers;
