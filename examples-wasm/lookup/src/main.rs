//! `lookup NAME…`: prints each name with the addresses it resolves to in this pod. Fails when one has none.

use std::env;
use std::net::ToSocketAddrs;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for name in env::args().skip(1) {
        match (name.as_str(), 0).to_socket_addrs() {
            Ok(addresses) => {
                let addresses: Vec<_> = addresses.map(|address| address.ip().to_string()).collect();
                println!("{name} {}", addresses.join(" "));
            }
            Err(error) => {
                println!("{name}: {error}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}
