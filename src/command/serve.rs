//! The command `xception serve`.

use anyhow::Result;

use crate::arguments::ServeArguments;

/// Shares devices of this machine until Ctrl-C or SIGTERM.
pub fn run(arguments: &ServeArguments) -> Result<()> {
    #[cfg(feature = "remote")]
    return crate::server::serve(arguments);
    #[cfg(not(feature = "remote"))]
    {
        let _ = arguments;
        Err(xception::DeviceNameError::NotBuilt.into())
    }
}
