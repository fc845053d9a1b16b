//! Static files in the shape of a Kubernetes cluster: a discovery document and a set, and tokens of service accounts.

use crate::Fallible;

pub(crate) fn check(_command: &[String]) -> Fallible<()> {
    Ok(())
}
