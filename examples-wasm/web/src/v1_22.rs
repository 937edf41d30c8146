//! The next version of the same server, for something to roll out.

mod site;

#[wstd::main]
async fn main() -> wstd::io::Result<()> {
    serve::serve(site::port(), |path| site::page(path, "1.22")).await
}
