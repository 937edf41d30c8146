//! A web server for static files, with a socket of its own: port 80, or `PORT`.

mod site;

#[wstd::main]
async fn main() -> wstd::io::Result<()> {
    serve::serve(site::port(), |path| site::page(path, "1.21")).await
}
