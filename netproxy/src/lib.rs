//! The wire: how pods, services and the host reach each other.
pub mod fabric;
pub mod routes;
pub mod zone;
