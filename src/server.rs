//! The server that shares devices of this machine, by Burn's remote backend over WebSocket.

use std::io::Write;
use std::net::TcpListener;

use anyhow::{Context, Result, bail};
use burn::server::{
    AuthorizationRequest, PeerAuthorizer, RemoteServer, TokenAuthorizer, WebSocketTransport,
};
use tracing_subscriber::EnvFilter;

use crate::arguments::ServeArguments;
use crate::token;

/// Serves until Ctrl-C or SIGTERM, and prints the address before.
///
/// # Errors
///
/// Where a device isn't there, others could reach the server and there is no token, or the address can't be listened on.
pub fn serve(arguments: &ServeArguments) -> Result<()> {
    let token = token::token(arguments.token_file.as_deref())?;
    let address = arguments.listen;
    if !address.ip().is_loopback() && token.is_none() {
        bail!(
            "{address} can be reached from other machines: give a token with --token-file or {}, so that not everyone \
             can compute here",
            token::VARIABLE
        );
    }
    let devices = arguments.devices.iter().map(|device| device.device());
    let devices = devices.collect::<Result<Vec<_>, _>>()?;
    let clients = match token {
        Some(_) => "clients with the token",
        None => "any client",
    };
    let authorizer = token.map(TokenAuthorizer::new).transpose()?;

    warn_on_standard_error();
    let listener =
        TcpListener::bind(address).with_context(|| format!("can't listen on {address}"))?;
    let address = listener.local_addr()?;
    let names: Vec<_> = arguments.devices.iter().map(ToString::to_string).collect();
    let mut output = std::io::stdout();
    // Nobody has to read it.
    let _ = writeln!(
        output,
        "{} on {address}, for {clients}, until Ctrl-C; not encrypted",
        names.join(", ")
    );
    let _ = output.flush();
    let server = RemoteServer::new(devices).with_authorizer(Sessions { authorizer });
    server.serve(WebSocketTransport::from_listener(listener))?;
    Ok(())
}

/// Tells of each session, and admits it if its token is right or none is asked for.
struct Sessions {
    authorizer: Option<TokenAuthorizer>,
}

impl PeerAuthorizer for Sessions {
    fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<(), String> {
        let session = format!("{} and device {}", request.client, request.device_index);
        let admitted = match &self.authorizer {
            Some(authorizer) => authorizer.authorize(request),
            None => Ok(()),
        };
        let end = match admitted {
            Ok(()) => "",
            Err(_) => ": refused, without the right token",
        };
        let _ = writeln!(std::io::stderr(), "{session}{end}"); // it may be closed
        admitted
    }
}

/// What is logged where RUST_LOG doesn't say it: warnings, but for those of a client that went without a word, as all do whose
/// process ends.
const LOGGED: &str = "warn,burn_remote::transport::websocket::server=error";

/// Has warnings and errors of Burn's server on standard error, in place of all that it does on standard output.
fn warn_on_standard_error() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(LOGGED));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter);
    let subscriber = subscriber.with_writer(std::io::stderr).with_ansi(false);
    let _ = subscriber.try_init(); // there is none before
}
