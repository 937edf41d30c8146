//! netproxy
