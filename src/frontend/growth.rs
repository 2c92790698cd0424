//! How much the variables of a file may grow to: each may be made of others, so that a few lines could fill any memory.

use crate::problem::{Problem, ProblemKind};

/// What all variables of a file are put in for, in bytes; real files need a few thousand.
pub(super) const MAX_GROWN: usize = 1 << 20;

/// What is left of [`MAX_GROWN`].
pub(super) struct Budget {
    left: usize,
    is_spent: bool,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { left: MAX_GROWN, is_spent: false }
    }
}

impl Budget {
    /// Takes so many bytes, if they are left.
    pub fn spend(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.is_spent |= left.is_none();
        self.left = left.unwrap_or(0);
        left.is_some()
    }

    /// Tells that more was wanted than there is.
    pub fn problem(&self, path: &str) -> Option<Problem> {
        let message = format!("the variables of this file grow to more than {MAX_GROWN} bytes");
        let problem = Problem::with_path(ProblemKind::Limit, path, message);
        self.is_spent.then(|| problem.help("make variables of fewer others"))
    }
}
