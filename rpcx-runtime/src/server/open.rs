//! Whether a connection is taken, and who hears of it.

use std::net::SocketAddr;
use std::sync::Arc;

use super::bound::Parts;
use super::interceptor::ConnectionInfo;

/// A connection that was taken: interceptors hear of its end when this is dropped.
pub(super) struct Open {
    info: ConnectionInfo,
    /// `None` if nobody wants to hear.
    parts: Option<Arc<Parts>>,
}

impl Open {
    /// Asks the interceptors whether a connection is to be taken, the outermost first.
    pub(super) fn admit(peer: Option<SocketAddr>, parts: &Arc<Parts>) -> Option<Self> {
        let info = ConnectionInfo::new(peer);
        let interceptors = &parts.settings.interceptors.0;
        if interceptors.is_empty() {
            return Some(Self { info, parts: None });
        }
        let refused = interceptors.iter().find_map(|layer| layer.accept(&info).err());
        if let Some(why) = refused {
            tracing::debug!(?peer, why, "a connection is refused");
            for layer in interceptors {
                layer.refused(&info, &why);
            }
            return None;
        }
        for layer in interceptors {
            layer.connected(&info);
        }
        Some(Self { info, parts: Some(Arc::clone(parts)) })
    }

    pub(super) fn info(&self) -> &ConnectionInfo {
        &self.info
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let Some(parts) = &self.parts else { return };
        for layer in &parts.settings.interceptors.0 {
            layer.disconnected(&self.info);
        }
    }
}
