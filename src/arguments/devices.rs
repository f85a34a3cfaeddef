//! The arguments for devices that share work, and for the server that shares them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use xception::{Backend, DeviceName};

/// The devices that share each batch of a training.
#[derive(Debug, Args)]
pub struct ParallelArguments {
    /// Devices that share each batch, in place of --backend: such as cuda:0,cuda:1 or
    /// remote:192.0.2.7:3000,remote:192.0.2.8:3000, which `xception serve` shares there. The first one has the
    /// weights. A device that is named twice takes two parts of a batch.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        conflicts_with = "backend",
        help_heading = "Several devices"
    )]
    pub devices: Vec<DeviceName>,
    /// File with the token that the servers of remote devices ask for [default: that in XCEPTION_TOKEN, if it is
    /// set].
    #[arg(
        long,
        value_name = "FILE",
        requires = "devices",
        help_heading = "Several devices"
    )]
    pub token_file: Option<PathBuf>,
}

/// Share devices of this machine with `xception train --devices remote:HOST:PORT` on others.
///
/// Serves until Ctrl-C or SIGTERM. Who may connect can compute anything and take all memory there is: without
/// --listen that is who is on this machine; where others can reach the server, it asks for a token.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  xception serve                                            the processor, for this machine alone
  xception serve --devices cuda:0,cuda:1 --listen 10.8.0.2:3000 --token-file token
  head -c 32 /dev/urandom | base64 > token                  a token; the clients have the same file

The connection is a WebSocket without encryption: pixels, weights and the token itself pass through the network as
they are. Use it within a machine, in a network that you trust, or through a tunnel: WireGuard, or
`ssh -L 3000:localhost:3000 HOST` with `--devices remote:localhost:3000`. Burn's encrypted transport, Iroh, is
not offered.

Each session has its memory, which is free again when the client ends, however it does. docs/many-devices.md plans
trainings with many machines.")]
pub struct ServeArguments {
    /// Devices to share, all of one backend, such as cuda:0,cuda:1. Clients name them by their place in this list:
    /// remote:HOST:PORT/1 is the second.
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "flex"
    )]
    pub devices: Vec<Backend>,
    /// Address and port to listen on; with port 0 the system chooses one. Other addresses than those of this machine
    /// alone, 127.0.0.1 and [::1], need a token.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// File with the token that clients have to present [default: that in XCEPTION_TOKEN, if it is set].
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}
