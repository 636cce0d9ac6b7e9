//! One suite over every provider, against the in-process sandbox.
